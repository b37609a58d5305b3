"""A Hugging Face hub on this machine: the few requests that up- and downloads make."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlparse

import pytest

COMMIT = "0" * 39 + "1"


@dataclass
class FakeHub:
    """What is on it.

    Attributes:
        repos: Files by their names, of each repository.
        token: Who may write; None for nobody.
        url: Its address.
        asked: What was asked for, method and path.
    """

    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    token: str | None = None
    url: str = ""
    asked: list[str] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def stop(self) -> None:
        """Answer no more, as where there is no network."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@contextmanager
def running(hub: FakeHub, cache: Path) -> Iterator[FakeHub]:
    """Let it answer, in the place of the real one, while the block runs.

    Args:
        hub: The hub.
        cache: Where huggingface_hub keeps what it downloads.
    """
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = hub.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs=dict(poll_interval=0.02), daemon=True)
    thread.start()
    constants = importlib.import_module("huggingface_hub.constants")
    template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(constants, "ENDPOINT", hub.url)
            patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
            # which versions before 1.0 have copied
            files = importlib.import_module("huggingface_hub.file_download")
            patch.setattr(files, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
            patch.setattr(constants, "HF_HUB_CACHE", str(cache))
            patch.delenv("HF_TOKEN", raising=False)
            patch.setattr(constants, "HF_TOKEN_PATH", str(cache / "token"))
            yield hub
    finally:
        hub.stop()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self._file(body=False)

    def do_GET(self) -> None:
        path = urlparse(self.path).path
        if path.startswith("/api/models/"):
            owner, name, *rest = path.removeprefix("/api/models/").split("/")
            files = self.hub.repos.get(f"{owner}/{name}")
            self.hub.asked.append(f"GET {path}")
            if files is None:
                return self._answer(404, {"error": "x"}, {"X-Error-Code": "RepoNotFound"})
            if rest[:1] == ["tree"]:
                tree = [
                    dict(type="file", path=path, oid=COMMIT, size=len(content))
                    for path, content in files.items()
                ]
                return self._answer(200, tree)
            siblings = [dict(rfilename=path) for path in files]
            return self._answer(200, dict(id=f"{owner}/{name}", sha=COMMIT, siblings=siblings))
        return self._file(body=True)

    def do_POST(self) -> None:
        path = urlparse(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.hub.asked.append(f"POST {path}")
        if path == "/api/validate-yaml":
            return self._answer(200, dict(errors=[], warnings=[]))
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self._answer(401, {"error": "Invalid credentials"})
        if path == "/api/repos/create":
            asked = json.loads(body)
            repo = f"{asked['organization']}/{asked['name']}"
            self.hub.repos.setdefault(repo, {})
            return self._answer(200, dict(url=f"{self.hub.url}/{repo}", name=repo))
        owner, name, action, _ = path.removeprefix("/api/models/").split("/")
        if action == "preupload":
            files = [
                dict(path=file["path"], uploadMode="regular", shouldIgnore=False)
                for file in json.loads(body)["files"]
            ]
            return self._answer(200, dict(files=files))
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                content = base64.b64decode(line["value"]["content"])
                self.hub.repos[f"{owner}/{name}"][line["value"]["path"]] = content
        url = f"{self.hub.url}/{owner}/{name}/commit/{COMMIT}"
        return self._answer(200, dict(commitUrl=url, commitOid=COMMIT, success=True))

    def _file(self, *, body: bool) -> None:
        """/OWNER/REPO/resolve/REVISION/FILE."""
        self.hub.asked.append(f"{self.command} {self.path}")
        owner, name, _, revision, *file = unquote(urlparse(self.path).path).strip("/").split("/")
        files = self.hub.repos.get(f"{owner}/{name}")
        if files is None:
            return self._answer(404, None, {"X-Error-Code": "RepoNotFound"}, body=body)
        if revision not in ("main", COMMIT):
            return self._answer(404, None, {"X-Error-Code": "RevisionNotFound"}, body=body)
        if "/".join(file) not in files:
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}
            return self._answer(404, None, headers, body=body)
        content = files["/".join(file)]
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        return self._answer(200, content, headers, body=body)

    def _answer(
        self, status: int, content: Any, headers: Mapping[str, str] = {}, *, body: bool = True
    ) -> None:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for key, value in {"Content-Length": str(len(raw)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(raw)
