"""The order of a training's batches, and the random numbers that each sample is read with.

Batches are drawn in the main process, also for workers that read ahead. There each gets the number
of its iteration; where it is read, the generators are seeded from that number before each sample.
So what a sample looks like depends on neither workers nor what was read before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mmengine.registry import DATA_SAMPLERS
from mmengine.runner import Runner
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

from .seeds import DATA, ORDER, seed_generators


class NumberedBatch(list):
    """The indices of a batch, and the place in the training that its samples are seeded from."""

    place: tuple[int, ...] = ()


class NumberedBatches:
    """A batch sampler that numbers the batches of another.

    Args:
        batches: The other.
        seed: Seed of the training.
        rank: Rank of this process.
        endless: Begin again where the other ends.
    """

    def __init__(
        self, batches: Iterable[Any], *, seed: int, rank: int, endless: bool = False
    ) -> None:
        self.batches = batches
        self.seed = seed
        self.rank = rank
        self.endless = endless
        self._first = 0
        self._trained = 0

    def __getattr__(self, name: str) -> Any:
        """What mmengine asks of a batch sampler: ``sampler``, ``batch_size``, ..."""
        if name == "batches":
            raise AttributeError(name)
        return getattr(self.batches, name)

    def __len__(self) -> int:
        """Batches of an epoch; of its rest no less, as schedules count with it."""
        return len(self.batches)  # type: ignore[arg-type]

    def begin(self, iteration: int, trained: int = 0) -> None:
        """Set where the next pass begins.

        Args:
            iteration: Iterations so far.
            trained: How many batches of the pass are among them; they are passed over.
        """
        self._first, self._trained = iteration - trained, trained

    def __iter__(self) -> Iterator[NumberedBatch]:
        """The batches that are not trained yet."""
        trained = self._trained
        for position, batch in enumerate(self._drawn(self._first)):
            if position >= trained:
                numbered = NumberedBatch(batch)
                numbered.place = (self.seed, DATA, self.rank, self._first + position)
                yield numbered

    def _drawn(self, number: int) -> Iterator[Any]:
        """Draw from the other, which may use global generators; all ranks alike."""
        epoch, batches = 0, iter(self.batches)
        while True:
            seed_generators(self.seed, ORDER, number)
            batch = next(batches, None)
            if batch is None:
                if not self.endless or not len(self):
                    return
                epoch += 1
                sampler: Any = getattr(self.batches, "sampler", None)
                if hasattr(sampler, "set_epoch"):
                    sampler.set_epoch(epoch)
                batches = iter(self.batches)
                continue
            yield batch
            number += 1


class SeededReads:
    """Reads the samples of a numbered batch, in whatever process."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __call__(self, batch: NumberedBatch) -> list[Any]:
        """The samples of a batch."""
        samples = []
        for position, index in enumerate(batch):
            seed_generators(*batch.place, position)
            samples.append(self.dataset[index])
        return samples


class EndlessBatches:
    """What :class:`mmengine.runner.IterBasedTrainLoop` takes its batches from.

    A resumed loop asks for the batches that were trained before it trains; they are passed over
    without being read.

    Args:
        loader: Its batch sampler is a :class:`NumberedBatches`.
        replayed: How many batches the loop will ask for in vain.
    """

    def __init__(self, loader: DataLoader, replayed: int) -> None:
        self._loader = loader
        self._replayed = replayed
        self._iterator: Iterator[Any] | None = None

    def __iter__(self) -> EndlessBatches:
        return self

    def __next__(self) -> Any:
        """The next batch; None of one that is passed over."""
        if self._replayed:
            self._replayed -= 1
            return None
        if self._iterator is None:
            self._iterator = iter(self._loader)
        return next(self._iterator)

    def skip_iter(self, number: int) -> None:
        """How later versions of mmengine pass over batches; here the batch sampler does."""
        self._replayed = 0


def number_batches(runner: Runner) -> NumberedBatches | None:
    """Have the loader of a training number its batches and seed its samples.

    Returns:
        What numbers them; None if the loader reads one sample after the other, where nothing
        says which.
    """
    loop: Any = runner.train_loop
    loader: DataLoader = loop.dataloader
    if loader.batch_sampler is None or isinstance(loader.dataset, IterableDataset):
        return None
    endless = hasattr(loop, "dataloader_iterator")
    batches = NumberedBatches(
        _new_batches(runner, loader), seed=runner.seed, rank=runner.rank, endless=endless
    )
    # torch forbids to set it, for loaders that are in use
    object.__setattr__(loader, "batch_sampler", batches)
    # what torch's loaders call for the samples of a batch
    loader.dataset.__getitems__ = SeededReads(loader.dataset)  # type: ignore[attr-defined]
    if endless:
        # the oldest mmengine supported has begun to read already, with the old batch sampler
        loader._iterator = None
        replays = not hasattr(loop.dataloader_iterator, "skip_iter")
        loop.dataloader_iterator = EndlessBatches(loader, runner.iter if replays else 0)
    return batches


def _new_batches(runner: Runner, loader: Any) -> Iterable[Any]:
    """A batch sampler at its start, with the seed of a resumed run.

    The loader's own may have been drawn from, and was made before the checkpoint was read.
    """
    cfg = (runner.cfg.get("train_dataloader") or {}).copy()
    if not isinstance(cfg.get("sampler"), dict):
        return loader.batch_sampler
    by_rank = runner._randomness_cfg.get("diff_rank_seed", False)
    sampler = DATA_SAMPLERS.build(
        cfg["sampler"],
        default_args=dict(dataset=loader.dataset, seed=None if by_rank else runner.seed),
    )
    if cfg.get("batch_sampler") is None:
        object.__setattr__(loader, "sampler", sampler)  # mmengine tells it the epoch
        return BatchSampler(sampler, loader.batch_size, loader.drop_last)
    return DATA_SAMPLERS.build(
        cfg["batch_sampler"], default_args=dict(sampler=sampler, batch_size=cfg["batch_size"])
    )
