"""Time and check the paired bootstrap on synthetic results: tools/benchmark_bootstrap.py"""

import argparse

import senet_mm  # noqa: F401 (makes mmdet importable)
from senet_mm.evaluation.bootstrap_benchmark import benchmark_bootstrap
from senet_mm.evaluation.coverage import make_population, simulate_coverage
from senet_mm.evaluation.synthetic_results import write_data_set
from senet_mm.utils import cli


def parse_args() -> argparse.Namespace:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument(
        "--ann-file", help="annotations to perturb; made at the size of val2017 if not given"
    )
    parser.add_argument(
        "--out-dir", default="work_dirs/benchmark_bootstrap", help="for the files it makes"
    )
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap resamples")
    parser.add_argument(
        "--gain", type=float, default=0.1, help="how much better the second detector is"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of data and resamples")
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="instead, simulate how often the interval of the AP difference holds the true one",
    )
    parser.add_argument(
        "--replications", type=int, default=500, help="data sets of 200 images, for --coverage"
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if args.coverage:
        population = make_population(args.out_dir, seed=args.seed, progress=True)
        coverage = simulate_coverage(
            population,
            num_replications=args.replications,
            num_resamples=args.resamples,
            seed=args.seed,
            progress=True,
        )
        print(coverage.summary)
        return
    ann_file, results_files = write_data_set(
        args.out_dir, ann_file=args.ann_file, gain=args.gain, seed=args.seed
    )
    benchmark = benchmark_bootstrap(
        ann_file, results_files, num_resamples=args.resamples, seed=args.seed, progress=True
    )
    print(benchmark.summary)


if __name__ == "__main__":
    cli.run(main)
