"""Rebuild the subset of Fashion-MNIST that travels with the package, from the full set.

python scripts/pack_fashion_mnist.py --source /usr/share/datasets/fashion-mnist
    --output src/trakway/data/packed/fashion_mnist
"""

from argparse import Namespace

from trakway.runtime.command import Command


def main(arguments: Namespace) -> None:
    """Pack ``arguments.source`` into ``arguments.output``."""
    from trakway.data.packing import pack

    size = pack(arguments.source, arguments.output)
    print(f"{arguments.output}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    command = Command(__doc__.splitlines()[0])
    command.add_argument("--source", required=True, help="folder with the four official files")
    command.add_argument("--output", required=True, help="folder to write the pack into")
    command.run(main)
