"""Checkpoints on the Hugging Face hub: ``hf://OWNER/REPO[@REVISION][/FILE]``."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...compat.extras import needed
from ...io.near_names import nearest
from .places import first_line

HUB = "hf://"
CHECKPOINT = "model.pth"  # what `senet-mm push` writes
_NAME = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([^/]+))?(?:/(.+))?")
_FORMS = (".pth", ".pt", ".bin", ".safetensors")
_LOG_IN = "`hf auth login` or HF_TOKEN says who you are"


def hub_file(source: str) -> Path:
    """The local copy of a file on the hub, which is downloaded once.

    Where no file is named it is ``model.pth``, or else the only checkpoint of the repository.

    Raises:
        ImportError: If huggingface_hub is missing.
        ValueError: If it is no such name, or there is no such repository or file.
        ConnectionError: If the hub cannot be reached, and the file is not in its cache.
    """
    repo, revision, name = parse_name(source)
    hub = import_hub()
    fetched = f"`hf download {repo} {name or CHECKPOINT}`"
    with told(source, f"; where there is a network, {fetched} fetches it, to be given as a file"):
        try:
            return Path(hub.hf_hub_download(repo, name or CHECKPOINT, revision=revision))
        except hub.utils.LocalEntryNotFoundError:  # no network
            raise
        except hub.utils.EntryNotFoundError:
            files = hub.HfApi().list_repo_files(repo, revision=revision)
        if name is not None:
            raise ValueError(f"{source}: {repo} has no file {name!r}{nearest(name, files)}")
        only = _only_checkpoint(source, files)
        return Path(hub.hf_hub_download(repo, only, revision=revision))


def parse_name(source: str) -> tuple[str, str | None, str | None]:
    """The repository, the revision and the file that a name of the hub names.

    Raises:
        ValueError: If it is no such name.
    """
    match = _NAME.fullmatch(source)
    if match is None:
        raise ValueError(f"{source}: expected hf://OWNER/REPO or hf://OWNER/REPO/FILE")
    repo, revision, name = match.groups()
    return repo, revision, name


@contextmanager
def told(what: str, way_out: str = "") -> Iterator[None]:
    """Turn what huggingface_hub raises into errors of one line.

    Args:
        what: What is done, or with what, for the errors.
        way_out: What to do where there is no network.

    Raises:
        ValueError: If something is not there, not allowed or not accepted.
        ConnectionError: If the hub cannot be reached.
    """
    errors: Any = import_hub().utils
    try:
        yield
    except errors.GatedRepoError as error:
        raise ValueError(f"{what}: access must be asked for on its page; {_LOG_IN}") from error
    except errors.RepositoryNotFoundError as error:
        raise ValueError(
            f"{what}: there is no such repository on the hub, or it is not yours to see; {_LOG_IN}"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ValueError(f"{what}: the repository has no such revision") from error
    except errors.LocalTokenNotFoundError as error:
        raise ValueError(f"{what}: no token was found; {_LOG_IN}") from error
    except errors.HFValidationError as error:
        raise ValueError(f"{what}: {first_line(error)}") from error
    except errors.LocalEntryNotFoundError as error:  # what it says is long
        raise ConnectionError(
            f"{what}: the hub cannot be reached, and its cache does not hold the file{way_out}"
        ) from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in (401, 403):
            raise ValueError(f"{what}: the hub does not allow it ({status}); {_LOG_IN}") from error
        raise ConnectionError(f"{what}: the hub answers: {first_line(error)}") from error
    # of the library that it sends requests by, which was requests and is httpx, then its own copy
    except (OSError, errors.HfHubHTTPError.__bases__[0]) as error:
        if getattr(error, "filename", None) or getattr(error, "errno", None) == errno.ENOSPC:
            raise  # a file of this machine
        raise ConnectionError(
            f"{what}: the hub cannot be reached ({first_line(error)}){way_out}"
        ) from error


def import_hub() -> Any:
    """huggingface_hub, which is optional.

    Raises:
        ImportError: If it is missing.
    """
    library = needed("huggingface_hub", "hub")
    needed("huggingface_hub.utils", "hub")  # its errors
    return library


def _only_checkpoint(source: str, files: list[str]) -> str:
    found = [file for file in files if file.endswith(_FORMS)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(f"{source}: there is no checkpoint, only {', '.join(files) or 'nothing'}")
    raise ValueError(f"{source}: name one of its {len(found)} checkpoints: {', '.join(found[:5])}")
