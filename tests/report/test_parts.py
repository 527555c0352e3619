"""What figures and tables declare, and mistakes in it."""

import pytest

from trakway.errors import UserError
from trakway.report.figures import declared_figures, figure_of
from trakway.report.parts import value_of
from trakway.report.tables import declared_tables, table_of

FIGURE = 'FIGURE = Figure(section="S", title="T", caption="C.", reads={"table": "tables/lds.csv"}'


@pytest.fixture
def write(tmp_path):
    def write(text, name="mine"):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return path

    return write


def test_a_figure_and_a_table_of_a_folder(write, tmp_path):
    write(FIGURE + ")\nimport no_such_module\ndef draw(table, title): ...\n", "one")
    write('TABLE = Table(section="S", caption="C.")\ndef make(): ...\n', "two")
    write("VALUE = 1\n", "three")
    assert [file.stem for file in declared_figures((tmp_path,))] == ["one"]
    assert [file.stem for file in declared_tables((tmp_path,))] == ["two"]


def test_two_of_one_name(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text(FIGURE + ")\ndef draw(table, title): ...\n")
    with pytest.raises(UserError, match=r"b/x.py: found the name of .*a/x.py"):
        declared_figures((tmp_path / "a", tmp_path / "b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FIGURE + ")\ndef draw(tabel, title): ...\n", "draw: found no parameter table, which the declaration gives"),
        (FIGURE + ")\ndef draw(table, title, x): ...\n", "draw: found the parameter x, which nothing gives it"),
        (FIGURE + ")\n", "found no function draw"),
        (FIGURE + ', needs=("step",))\ndef draw(table, title): ...\n', "found the trait 'step'; allowed: .*steps"),
        (FIGURE + ", read={})\ndef draw(table, title): ...\n", "unknown key read; allowed: .*reads"),
        ('FIGURE = Figure(section="S", title="T")\n', "found no caption"),
    ],
)
def test_a_mistake_in_a_figure_is_named_with_its_file(write, text, message):
    with pytest.raises(UserError, match=rf"mine.py.*{message}"):
        figure_of(write(text))


def test_what_has_a_default_need_not_be_given(write):
    assert figure_of(write(FIGURE + ")\ndef draw(table, title, level=0.9, *, x=1): ...\n")).suffixes == ("png", "pdf")


def test_a_table_with_a_rule_of_its_own_needs_no_function(write):
    assert table_of(write('TABLE = Table(section="S", caption="C.", own_rule=True)\n')).own_rule
    with pytest.raises(UserError, match="found no function make"):
        table_of(write('TABLE = Table(section="S", caption="C.")\n', "other"))


def test_values_by_dotted_keys():
    settings = {"task": "image_classification", "methods": ["trak"], "lds": {"level": 0.9}}
    assert value_of("lds.level", settings) == 0.9
    assert value_of("lds", settings) == {"level": 0.9}
    assert value_of("{main}", settings) == "trak"
    with pytest.raises(UserError, match="found lds.levels, of which there is no 'levels'; allowed here: level"):
        value_of("lds.levels", settings)
