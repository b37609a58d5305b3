"""Time and check the paired bootstrap: python -m studies.benchmark_bootstrap"""

import argparse

import senet_mm  # noqa: F401 (makes mmdet importable)
from senet_mm.cli import common as cli
from studies.bootstrap_benchmark import benchmark_bootstrap
from studies.coverage import make_population, simulate_coverage
from studies.synthetic_results import write_data_set


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
        help="instead, simulate how often the intervals of AP and of its difference hold the "
        "true numbers",
    )
    parser.add_argument("--replications", type=int, default=500, help="samples, for --coverage")
    parser.add_argument("--images", type=int, default=200, help="in a sample, for --coverage")
    parser.add_argument("--classes", type=int, default=4, help="of objects, for --coverage")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if args.coverage:
        population = make_population(
            args.out_dir, num_classes=args.classes, seed=args.seed, progress=True
        )
        outcomes = simulate_coverage(
            population,
            num_images=args.images,
            num_replications=args.replications,
            num_resamples=args.resamples,
            seed=args.seed,
            progress=True,
        )
        print("", *(outcome.summary for outcome in outcomes), sep="\n")
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
