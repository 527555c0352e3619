import pytest

from trakway.data.utf8 import read_delimited, read_lines
from trakway.errors import UserError


def test_a_table_is_text_and_empty_where_there_is_none(tmp_path):
    (tmp_path / "a.tsv").write_text("x\ty\n1\tNA\n\n2\n")
    assert read_delimited(tmp_path / "a.tsv", "\t").to_numpy().tolist() == [["1", "NA"], ["2", ""]]


def test_lines(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffö \r\n\n b".encode())
    assert read_lines(tmp_path / "a.txt") == ["ö", "b"]
    with pytest.raises(UserError, match="b.txt: cannot be read .No such file"):
        read_lines(tmp_path / "b.txt")


@pytest.mark.parametrize("read", [read_lines, read_delimited])
def test_another_encoding_is_told_with_line_and_byte(tmp_path, read):
    (tmp_path / "a.csv").write_bytes("a,b\nx,schön\n".encode("latin1"))
    with pytest.raises(UserError, match=r"a.csv, line 2: byte 6 \(0xf6\) is not UTF-8; allowed: UTF-8; save"):
        read(tmp_path / "a.csv")
