"""Rebuild the film reviews that travel with the package, from the authors' file.

pip download --no-deps --no-binary :all: vaderSentiment==3.3.2 && tar xzf vaderSentiment-3.3.2.tar.gz
tar xzf vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz
python scripts/pack_movie_reviews.py --source hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt
    --output src/trakway/data/packed/movie_reviews
"""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.data.movie_reviews import pack

    size = pack(arguments.source, arguments.output)
    print(f"{arguments.output}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    command = Command(__doc__.splitlines()[0])
    command.add_argument("--source", type=Path, required=True, help="movieReviewSnippets_GroundTruth.txt")
    command.add_argument("--output", type=Path, required=True, help="folder to write the pack into")
    command.run(main)
