import pytest

from trakway.data.caption_files import from_table, from_texts
from trakway.errors import UserError


@pytest.fixture
def pictures(tmp_path):
    return [tmp_path / "a.png", tmp_path / "sub/b.png"]


@pytest.fixture
def read(tmp_path, pictures):
    def read(content):
        path = tmp_path / "captions.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return from_table(path, pictures)

    return read


def test_several_rows_a_picture_in_their_order(read):
    content = 'file,more,caption\n./sub/b.png,1," zwei, ö "\na.png,2,"one\nline"\nsub/b.png,3,drei\n'
    for found in (content, "\ufeff" + content):  # with a byte order mark, as spreadsheets write it
        assert read(found) == ([["one\nline"], ["zwei, ö", "drei"]], ["all", "all"])
    assert read("label,caption,file\nx,1,a.png\n2,2,sub/b.png\nx,3,a.png\n") == ([["1", "3"], ["2"]], ["x", "2"])


def test_columns_that_are_left_out_are_told(read, caplog):
    assert read("file,caption,Label\na.png,1,x\nsub/b.png,2,y\n") == ([["1"], ["2"]], ["all", "all"])
    assert "captions.csv: left out, columns other than file, caption, label: Label" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,text\na.png,x\n", "captions.csv: found no column 'caption' among file, text; allowed: file and caption"),
        ("File,caption\na.png,x\n", "found no column 'file' among File, caption; did you mean"),
        ("file,caption\na.png,x\nsub/b.png, \na.png\n", "captions.csv: found no caption in row 3, 4; allowed: one in"),
        ("file,caption\n,x\n", "found no file in row 2"),
        ("file,caption,label\na.png,x,\nsub/b.png,x,y\n", "found no label in row 2"),
        (
            "file,caption\na.png,x\nsub/b.png,x\nsub/bb.png,x\n",
            "picture, sub/bb.png; did you mean 'sub/b.png'",
        ),
        ("file,caption\na.png,x\n/sub/b.png,x\n", "without a picture, /sub/b.png"),
        ("file,caption\na.png,x\n", "found pictures without a caption, sub/b.png; allowed: a row of captions.csv for"),
        (
            "file,caption,label\na.png,x,u\nsub/b.png,x,u\na.png,x,v\n",
            "found the labels 'u' and 'v' of a.png; allowed: the same in all rows",
        ),
        ("file,caption\na.png,schön\n".encode("latin1"), r"captions.csv, line 2: byte 10 \(0xf6\) is not UTF-8"),
        ('file,caption\n"a.png,x\n', "captions.csv: cannot be read as csv"),
        ("", "captions.csv: cannot be read as csv"),
    ],
)
def test_mistakes_in_a_table(read, content, message):
    with pytest.raises(UserError, match=message):
        read(content)


@pytest.fixture
def beside(tmp_path, pictures):
    def beside(**contents):
        (tmp_path / "sub").mkdir()
        files = []
        for stem, content in contents.items():
            files.append(tmp_path / ("sub" if stem == "b" else "") / f"{stem}.txt")
            files[-1].write_bytes(content)
        return from_texts(tmp_path, pictures, files)

    return beside


def test_a_caption_a_line(beside):
    assert beside(a="\ufeffein Käse\r\n\r\n zwei \r\n".encode(), b=b"x") == [["ein Käse", "zwei"], ["x"]]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"a": b"x"}, "found pictures without a caption, sub/b.png; allowed: NAME.txt beside each picture"),
        ({"a": b"x", "b": b"x", "c": b"x"}, "found captions without a picture, c.txt; allowed: texts beside"),
        ({"a": b"x", "b": b" \n"}, "found no caption in sub/b.txt; allowed: a caption a line, one at least"),
        ({"a": b"x", "b": b"x\n\xf6"}, r"sub/b.txt, line 2: byte 1 \(0xf6\) is not UTF-8"),
    ],
)
def test_mistakes_in_texts(beside, contents, message):
    with pytest.raises(UserError, match=message):
        beside(**contents)
