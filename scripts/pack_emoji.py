"""Rebuild the emoji that travel with the package, from Debian's font and list of names.

apt-get download fonts-noto-color-emoji unicode-data
for file in *.deb; do dpkg-deb --extract "$file" source; done
python scripts/pack_emoji.py --font source/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf
    --names source/usr/share/unicode/emoji/emoji-test.txt --output src/trakway/data/packed/emoji
"""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    from trakway.data.emoji_packing import pack

    size = pack(arguments.font, arguments.names, arguments.output)
    print(f"{arguments.output}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    command = Command(__doc__.splitlines()[0])
    command.add_argument("--font", type=Path, required=True, help="NotoColorEmoji.ttf")
    command.add_argument("--names", type=Path, required=True, help="Unicode's emoji-test.txt")
    command.add_argument("--output", type=Path, required=True, help="folder to write the pack into")
    command.run(main)
