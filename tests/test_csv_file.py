"""CSV files: what is read, what is refused and where it stands, and how much memory it takes."""

import bz2
import gzip
import json
import lzma
import os
import re
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

import lab.run
import train as script
from lab import saved_models
from lab.command_line import main
from model import load_checkpoint
from support import csv_file
from support.datasets import mean_and_std
from train import make_data


@pytest.fixture(autouse=True)
def fresh():
    csv_file._read_once.cache_clear()


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return str(path)


def read(path, *options):
    return csv_file.read_csv(str(path), *options)


ROWS = (
    "height,weight,kind\n25,4,cat\n50,20,dog\n160,450.5,horse\n24,3e0,cat\n55,-21,dog\n9,9,horse\n"
)


def test_the_first_two_columns_are_the_features_and_the_last_is_the_label(tmp_path):
    table = read(write(tmp_path / "a.csv", ROWS))
    assert table.feature_names == ("height", "weight")
    assert table.class_names == ("cat", "dog", "horse")
    np.testing.assert_array_equal(
        table.X, np.float32([[25, 4], [50, 20], [160, 450.5], [24, 3], [55, -21], [9, 9]])
    )
    assert table.y.tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + ROWS,  # as some spreadsheets write it
        ROWS.replace("\n", "\r\n"),
        ROWS + "\n\n",
        ROWS.replace("\n", "\n, ,\n").removesuffix(", ,\n"),  # rows of a spreadsheet left empty
        ROWS.replace("dog", '"dog"').replace("height,", '"height", '),
        ROWS.replace(",cat", ", cat ").rstrip("\n"),
    ],
)
def test_other_ways_to_write_the_same(tmp_path, text):
    plain = read(write(tmp_path / "a.csv", ROWS))
    other = read(write(tmp_path / "b.csv", text))
    assert np.array_equal(plain.X, other.X)
    assert plain[2:] == other[2:]


def test_columns_can_be_named(tmp_path):
    path = write(tmp_path / "a.csv", "id,y,b,a\n1,no,2,3\n2,yes,4,5\n3,no,6,7\n4,yes,8,9\n")
    table = read(path, "a,b", "y")
    assert table.feature_names == ("a", "b")
    assert table.X[0].tolist() == [3, 2]
    assert table.class_names == ("no", "yes")
    assert read(path, None, "y").feature_names == ("id", "b")


def test_classes_are_in_the_order_of_numbers_where_the_labels_are_numbers(tmp_path):
    text = "a,b,c\n" + "".join(f"1,2,{label}\n" for label in (10, 9, -1, 10, 9, -1))
    table = read(write(tmp_path / "a.csv", text))
    assert table.class_names == ("-1", "9", "10")
    assert table.y.tolist() == [2, 1, 0, 2, 1, 0]


def test_a_quoted_line_break_does_not_move_the_line_numbers(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b,c\n1,2,"x\ny"\n1,oops,z\n')
    with pytest.raises(ValueError, match=r"line 4, column 'b' must be a finite number; got 'oops'"):
        read(path)


WRONG = [
    ("\n\n", "must begin with a line that names its columns; it has none."),
    ("\n", "must begin with a line that names its columns"),
    ("a,b,c\n", "must have rows below its header; it has none."),
    ("a:b:c\n1:2:x\n", "line 1 must name two features and a label, with commas .*; got 'a:b:c'"),
    ("1,2,3\n1,2,x\n", "line 1 must name the columns; got numbers, '1, 2, 3'. Put a line such as"),
    ("1,1,x\n1,2,x\n", "line 1 must name the columns; got numbers"),
    ("1.5,NA,x\n" + 9 * "1,2,x\n", "line 1 must name the columns; got numbers, '1.5, NA, x'"),
    ("x,1,2\n" + 9 * "x,1,2\n", "line 1 must name the columns; got numbers, 'x, 1, 2'"),
    ("1.000,5;2.000,25;x\n1;2;x\n", "line 1 must name the columns; got numbers, '1.000,5, 2.0"),
    ("1,5;2,5;x\n1,6;2,7;x\n", "line 1 must name the columns; got numbers, '1,5, 2,5, x'"),
    ("a,b,c\nNA,2,x\n", "line 2, column 'a' must be a finite number; got 'NA'.$"),
    ("a;b;c\n1.5;2;x\n1,265.5;3;y\n", "line 3, .*; got '1,265.5'. Thousands must not be parted"),
    (
        'a,b,c\n1.5,"1,265",x\n',
        "got '1,265'. Thousands must not be parted, and decimals follow a point.$",
    ),
    (
        "a;b;c\n1'234.5;2;x\n",
        "got .*1'234.5.*. Thousands must not be parted, and decimals follow a point.$",
    ),
    (
        "a;b;c\n1,5;2;x\n1\u202f000,5;2;x\n",
        "line 3, .*202f000,5'. Thousands must not be parted.$",
    ),
    (
        'a,b,c\n"1,00,000",2,x\n',
        "got '1,00,000'. Thousands must not be parted, and decimals follow a point.$",
    ),
    (
        "a;b;c\n1,000;2;x\n2.5;3;x\n",
        "line 2, .*; got '1,000'. Thousands must not be parted, and decimals follow a point.$",
    ),
    ("a,b,c\n05.01.2024,2,x\n", "line 2, column 'a' must be a finite number; got '05.01.2024'.$"),
    (
        "a,b,c\ncat,2,3\n",
        "line 2, column 'a' .*; got 'cat'. If these are the classes, say --label 'a'; --feat",
    ),
    (
        "a,b,c\nIris-setosa,2,3\n",
        "got 'Iris-setosa'. If these are the classes, say --label 'a'; "
        "--features names other columns.$",
    ),
    (
        'a,b,c\n"Smith, J.",2,3\n',
        "got 'Smith, J.'. If these are the classes, say --label 'a'; "
        "--features names other columns.$",
    ),
    ("a,b,c\n1,2,x\nTotal,2,y\n", "line 3, column 'a' must be a finite number; got 'Total'.$"),
    ("a;b;c\n1,5;2;x\n12.5,3;2;y\n", "line 3, column 'a' must be a finite number; got '12.5,3'"),
    ("a;b;c\n1,5;2;x\n05.01,5;2;y\n", "line 3, column 'a' .*finite number; got '05.01,5'"),
    ("a;b;c\n1,5;2;x\n1.2.3,4;2;y\n", "line 3, column 'a' .*finite number; got '1.2.3,4'"),
    ("a,b,c\ninf,2,3\n", "line 2, column 'a' must be a finite number; got 'inf'.$"),
    ("\n,,\na,b,c\n1,2,x\n1,q2,y\n", "line 5, column 'b' must be a finite number; got 'q2'"),
    ("\n,,\na,b,b\n", "a.csv, line 3 must name each column once; got 'b' twice"),
    ("a,b,c\n1,2,x\n3e38,2,y\n", "line 3, column 'a' must be a number up to 1e.30; got '3e38'"),
    ("a,b,c\n1,2,x\n1_0,2,y\n", "line 3, column 'a' must be a finite number; got '1_0'"),
    (
        "a;b;c\n1,5;2;x\n2.5;2;y\n",
        "line 3, column 'a' must be a finite number; got '2.5'. Because of '1,5' commas count as "
        "decimal; write it without a point.$",
    ),
    (
        "a;b;c;d\n1.000;2;1,5;x\n3;4;2,5;y\n",
        "line 2, column 'a' .*'1.000'. Because of '1,5' commas",
    ),
    ("a;b;c\n1.000;2;1,5\n2.000;3;2,5\n", "line 2, column 'a' .*'1.000'. Because of '1,5' commas"),
    ('a,b,c,d\n1,2,3,x\n-1.000,2,"1.500,5",x\n', "got '-1.000'. Because of '1.500,5' commas count"),
    ("a\tb\tc\n1,500\t2\tx\n", "line 2, column 'a' must be a finite number; got '1,500'"),
    (f"a,b,c\n1,2,{'x' * 201}\n", "line 2, column 'c' must have names of at most 200 .*; got 201"),
    (f"{'a' * 201},b,c\n1,2,x\n", "line 1 must have names of at most 200 characters; got 201"),
    ("a,b,a\n1,2,x\n", "line 1 must name each column once; got 'a' twice"),
    ("a,b,c\n1,2,x\n1,,y\n", "line 3, column 'b' must be a finite number; got nothing"),
    ("a,b,c\n1,2,x\n1,two,y\n", "line 3, column 'b' must be a finite number; got 'two'"),
    ("a,b,c\n1,2,x\nnan,2,y\n", "line 3, column 'a' must be a finite number; got 'nan'"),
    ("a,b,c\n1,2,x\n1e999,2,y\n", "line 3, column 'a' must be a finite number; got '1e999'"),
    ("a,b,c\n1,2,x\n1,2,\n", "line 3, column 'c' must be a label; got nothing"),
    ("a,b,c\n1,2,x\n1,2\n", "line 3 must have 3 columns, as the header has; got 2"),
    ("a,b,c\n1,2,x\n1,2,y,4\n", "line 3 must have 3 columns, as the header has; got 4"),
    ("a,b,c\n1,2,x\n3,4,x\n", "column 'c' must have two classes or more; every label is 'x'"),
    ("a,b,c\n1,2,x\n3,4,x\n5,6,y\n", "must have each class twice or more, .*; 'y' is there once"),
    ('a,b,c\n1,2,"x\n', r"line \d: unexpected end of data"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_cannot_be_read_is_named_with_its_line_and_column(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as error:
        read(write(tmp_path / "a.csv", text))
    assert str(error.value).startswith(str(tmp_path / "a.csv"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("height,weight,kind",), "features must be the names of two columns, as 'x1,x2'; got"),
        (("height",), "features must be the names of two columns"),
        (("height,height",), "features must be the names of two columns"),
        (('"' + "x" * 200_000,), "features must be the names of two columns"),
        (("height,age",), "must have the column 'age'; it has 'height, weight, kind'"),
        ((None, "age"), "must have the column 'age'"),
        (("height,weight", "weight"), "label must be a column that is no feature; got 'weight'"),
        (("height,kind", "weight"), "line 2, column 'kind' must be a finite number; got 'cat'"),
    ],
)
def test_wrong_names_of_columns(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        read(write(tmp_path / "a.csv", ROWS), *options)


def test_a_file_that_is_not_there_or_is_none_is_refused_at_once(tmp_path):
    with pytest.raises(OSError, match=r"b.csv can't be read: No such file"):
        read(tmp_path / "b.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(OSError, match=r"can't be read: it is empty"):
        read(tmp_path / "empty.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv", "/dev/zero"):
        with pytest.raises(OSError, match=r"can't be read: it is a directory, a pipe or a device"):
            read(path)


# Tables as people have them


PLAIN = "height,weight,kind\n1.5,-20,cat\n2.25,1000.5,dog\n3e2,4,cat\n4,5,dog\n"
SAVED = (
    (PLAIN.replace(",", ";"), "utf-8", "semicolons between its columns."),
    (PLAIN.replace(",", "\t"), "utf-8", "tabs between its columns."),
    (PLAIN.replace(",", "|"), "utf-8", "vertical bars between its columns."),
    ("sep=;\r\n" + PLAIN.replace(",", ";"), "utf-8-sig", "semicolons between its columns."),
    (PLAIN.replace(",", ";").replace("-", "\u2212"), "utf-8", "semicolons between its columns."),
    (PLAIN.replace("cat", '"cat"').replace(",", "; "), "utf-8", "semicolons between its columns."),
    (
        PLAIN.replace(",", ";").replace(".", ","),
        "utf-8-sig",
        "semicolons between its columns and decimal commas.",
    ),
    (
        PLAIN.replace(",", ";").replace(".", ",").replace("1000", "1.000"),
        "utf-8",
        "decimal commas.",
    ),
    (PLAIN.replace(",", "\t").replace(".", ","), "utf-8", "tabs .* and decimal commas."),
    (
        PLAIN.replace("1.5,", '"1,5",').replace("2.25,", '"2,25",').replace("1000.5", '"1000,5"'),
        "utf-8",
        "decimal commas.",
    ),
    (PLAIN.replace(",", "\t"), "utf-16", "tabs between its columns and letters of UTF-16."),
    (PLAIN.replace("cat", "chât"), "latin-1", r"letters of Windows-1252 \(Latin-1\)."),
)


@pytest.mark.parametrize(("text", "encoding", "note"), SAVED)
def test_how_a_file_is_written_is_detected_and_told(tmp_path, text, encoding, note):
    plain = read(write(tmp_path / "plain.csv", PLAIN))
    assert plain.notes == ()
    table = read(write(tmp_path / "a.csv", text, encoding))
    np.testing.assert_array_equal(table.X, plain.X)
    np.testing.assert_array_equal(table.y, plain.y)
    assert table.class_names == ("chât" if encoding == "latin-1" else "cat", "dog")
    (told,) = table.notes
    assert re.search(f"a.csv was read with .*{note}$", told)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04\x14\0", "a spreadsheet or another zip archive. Save it as CSV first"),
        (b"\xd0\xcf\x11\xe0\xa1", "a spreadsheet"),
        (gzip.compress(PLAIN.encode(), mtime=0), "compressed with gzip"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (lzma.compress(PLAIN.encode()), "compressed with xz"),
        (bz2.compress(PLAIN.encode()), "compressed with bzip2"),
        (b"\x28\xb5\x2f\xfd\x04\0", "compressed with Zstandard"),
        (b"<HTML>\n", "a web page"),
        (b"<!DOCTYPE html>\n<title>a, b, c</title>", "a web page"),
        (b"\xef\xbb\xbf\n <table>\n", "a web page"),
        (b'[\n{"a": 1, "b": 2}]', "must name two features"),
        (b'[{"a": 1, "b": 2, "c": 3}]', "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer to a file that Git LFS has"),
        (b'<?xml version="1.0"?>\n', "an XML document"),
        (b"\x93NUMPY\x01\0v\0", "must be text; it has bytes that are 0"),
    ],
)
def test_other_files_are_named(tmp_path, content, kind):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=f"a.csv must be a table as text; it is .*{kind}|{kind}"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "Unnamed: 0.1"])
def test_a_column_without_a_name_is_no_default(tmp_path, name):
    rows = [f"{i},{line}" for i, line in enumerate(PLAIN.splitlines()[1:])]
    for text in (
        "\n".join([f"{name},height,weight,kind", *rows]),
        PLAIN.replace("\n", f",{name}\n", 1).replace("cat\n", "cat,\n").replace("dog\n", "dog,\n"),
    ):
        table = read(write(tmp_path / "a.csv", text))
        assert table.feature_names == ("height", "weight")
        assert table.class_names == ("cat", "dog")
        assert table.notes[-1].endswith(
            "has a column without a name, which is taken for no feature."
        )
    path = write(tmp_path / "b.csv", "\n".join([f"{name},height,weight,kind", *rows]))
    table = read(path, f"{name},weight")
    assert table.X.tolist() == [[0, -20], [1, 1000.5], [2, 4], [3, 5]]


@pytest.mark.parametrize("rows", ["1 2 3 4", "4 3 2 1", "12 14 11 13"])
def test_a_feature_that_numbers_the_rows_is_told_of(tmp_path, rows):
    lines = map("{},{}".format, rows.split(), ("2,a", "3,b", "1,a", "9.5,b"))
    (note,) = read(write(tmp_path / "a.csv", "\n".join(["id,height,kind", *lines]))).notes
    assert note.endswith("column 'id' seems to number the rows; --features names others.")
    assert read(tmp_path / "a.csv", "id,height").notes == ()


@pytest.mark.parametrize("heights", ["1 2 2 4", "1 2.5 3 4", "1 9 30 4", "23 25 24 27"])
def test_a_measured_feature_does_not_number_the_rows(tmp_path, heights):
    lines = map("{},{}".format, heights.split(), ("2,a", "3,b", "2,a", "9.5,b"))
    assert read(write(tmp_path / "a.csv", "\n".join(["id,height,kind", *lines]))).notes == ()


def test_a_file_that_has_changed_is_read_again(tmp_path):
    path = write(tmp_path / "a.csv", ROWS)
    assert read(path) is read(path)
    write(tmp_path / "a.csv", ROWS.replace("25,", "26,"))
    os.utime(path, ns=(0, 1))  # however coarse the file system's clock is
    assert read(path).X[0, 0] == 26
    with pytest.raises(ValueError, match="read-only"):
        read(path).X[0, 0] = 27


def test_a_run_reads_no_second_state_of_a_file(tmp_path):
    path = write(tmp_path / "a.csv", ROWS)
    read(path)
    write(tmp_path / "a.csv", ROWS.replace("25,", "26,"))
    with csv_file.unchanging_files():
        before = read(path)
        write(tmp_path / "a.csv", ROWS.replace("25,", "127,"))
        assert read(path) is before
    assert (before.X[0, 0], read(path).X[0, 0]) == (26, 127)


def test_line_breaks_in_names_are_spaces(tmp_path):
    text = '"height\n(cm)","weight\r\n (kg)",kind\n' + "1,2,a\n2,3,b\n" * 2
    path = write(tmp_path / "a.csv", text)
    names = ("height (cm)", "weight (kg)")
    assert read(path).feature_names == names
    for features in (",".join(names), "height\n(cm),weight\n(kg)"):
        assert read(path, features, "kind").feature_names == names


def test_a_tie_between_separators_goes_to_the_one_with_more_numbers(tmp_path):
    table = read(
        write(tmp_path / "a.csv", "h,w,a|b|c|d,y\n" + "1.5,2,x|y|z|w,a\n3,4,p|q|r|s,b\n" * 2)
    )
    assert table.feature_names == ("h", "w")
    assert table.class_names == ("a", "b")


def test_a_header_longer_than_the_sample_is_cut_by_its_own_separator(tmp_path):
    names = "\t".join(f"feature {i}" for i in range(9000))
    rows = ("\t".join(f"{i * j}" for i in range(9000)) + f"\t{'ab'[j % 2]}" for j in range(4))
    table = read(write(tmp_path / "a.csv", "\n".join([f"{names}\tkind", *rows])))
    assert table.feature_names == ("feature 0", "feature 1")


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_wrong_byte_does_not_change_the_other_letters(tmp_path, start):
    text = PLAIN.replace("cat", "\xe9t\xe9").encode() + b"1,2,caf\xe9\n3,4,caf\xe9\n"
    (tmp_path / "a.csv").write_bytes(start + text)
    table = read(tmp_path / "a.csv")
    assert {"\xe9t\xe9", "caf\\xe9"} < {*table.class_names}
    assert table.notes[-1].endswith("column 'kind' has letters that aren't UTF-8: 'caf\\xe9'.")
    assert table.feature_names == read(write(tmp_path / "b.csv", PLAIN)).feature_names


@pytest.mark.parametrize("separator", ["; ", "\t", "|"])
def test_headers_with_commas_do_not_hide_the_separator(tmp_path, separator):
    rows = ["Breite, mm Länge, mm Art", "1.234,5 2.345,6 a", "3.234,5 7.345,6 b"]
    lines = [separator.join(re.split("(?<!,) ", row)) for row in (*rows, *rows[1:])]
    table = read(write(tmp_path / "a.csv", "\n".join(lines)))
    assert table.feature_names == ("Breite, mm", "Länge, mm")
    assert table.X[0].tolist() == [1234.5, 2345.6]


@pytest.mark.parametrize("count", [30, 31])
def test_many_numbers_as_classes_are_told_of(tmp_path, count):
    rows = [f"{i * i},1,{i % count}" for i in range(4 * count)]
    notes = read(write(tmp_path / "a.csv", "\n".join(["a,b,age", *rows]))).notes
    told = "31 different numbers, which are taken for classes; --label names another column."
    assert [note.partition(" has ")[2] for note in notes] == ([told] if count > 30 else [])


def test_names_may_have_commas(tmp_path):
    text = '"height (cm)","weight, kg",kind\n' + "1,2,a\n2,3,b\n" * 2
    path = write(tmp_path / "a.csv", text)
    for features in ("height (cm),weight, kg", '"height (cm)", "weight, kg"'):
        assert read(path, features).feature_names == ("height (cm)", "weight, kg")
    assert read(path, "weight, kg,height (cm)").X[0].tolist() == [2, 1]


def test_numbers_written_in_two_ways_are_one_class(tmp_path):
    text = "a,b,y\n" + "".join(
        f"1,{i},{y}\n" for i, y in enumerate(("1", "1.0", "0", "0.0", "2e0"))
    )
    table = read(write(tmp_path / "a.csv", text + "3,4,2\n"))
    assert table.class_names == ("0", "1", "2")
    assert table.y.tolist() == [1, 1, 0, 0, 2, 2]


@pytest.mark.parametrize("other", ["[0,1]", "(1,5)", "1,2,3", "a,5"])
def test_a_comma_in_what_is_no_number_tells_nothing(tmp_path, other):
    text = f'x,y,other,kind\n52.100,13.200,"{other}",a\n52.200,13.300,"{other}",b\n'
    assert read(write(tmp_path / "a.csv", text + text[len("x,y,other,kind\n") :])).X[0, 0] == 52.1


@pytest.mark.parametrize(
    ("labels", "names", "note"),
    [
        (["True", "False", "TRUE"], ("False", "TRUE", "True"), "'TRUE' and 'True', which differ"),
        (
            ["no", "No", "yes", "Yes"],
            ("No", "Yes", "no", "yes"),
            "has the classes 'No' and 'no'; 'Yes' and 'yes', which differ",
        ),
        (["1", "1.0", "old"], ("1", "1.0", "old"), "'1' and '1.0', which differ in their writing"),
        (["0", "1", "NA"], ("0", "1", "NA"), "has 'NA', which is taken for a class"),
        (["\xe9", "e\u0301", "o"], ("e\u0301", "o", "\xe9"), "which differ in their writing only"),
        (["a b", "a\xa0b", "c"], ("a b", "a\xa0b", "c"), "which differ in their writing only"),
        (["yes", "no", "no "], ("no", "yes"), None),
    ],
)
def test_labels_that_may_be_meant_for_one_or_for_none_are_told_of(tmp_path, labels, names, note):
    rows = [f"1,{i * i},{label}" for i, label in enumerate(2 * labels)]
    table = read(write(tmp_path / "a.csv", "\n".join(["a,b,y", *rows])))
    assert table.class_names == names
    assert len(table.notes) == (note is not None)
    assert all(note in told for told in table.notes)


def beside(number, other, separator):
    """Return a table with a number in its first feature and another in a column that isn't read."""
    rows = [("a", "b", "c", "y"), *((number, f"{i * i}", other, f"{i % 2}") for i in range(4))]
    return "\n".join(map(separator.join, rows))


DECIMAL = (
    ("1.000", '"Smith, J."', ",", "decimal points."),
    ("1.000", '"1,000"', ",", "decimal points."),  # parts thousands, too
    ("0.500", '"Smith, J."', ",", None),
    ("0.500", "1,5", ";", "semicolons between its columns."),
    ("1.000", "5", ";", "semicolons between its columns and decimal points."),
    ("1.000", "5", "\t", "tabs between its columns and decimal points."),
    ("1.000", "1,000 kg", "|", "vertical bars between its columns and decimal points."),
    ("1.000", "1,000.5", ";", "semicolons between its columns and decimal points."),
    ("1.000", "12:30:15,123", ";", "semicolons between its columns and decimal points."),
    ("1.000", "2,4-D", ";", "semicolons between its columns and decimal points."),
    ("1.000", "1,2,3", ";", "semicolons between its columns and decimal points."),
)


@pytest.mark.parametrize(("number", "other", "separator", "note"), DECIMAL)
def test_points_are_decimal_where_no_comma_is(tmp_path, number, other, separator, note):
    path = write(tmp_path / "a.csv", beside(number, other, separator))
    table = read(path)
    assert table.X[:, 0].tolist() == [float(number)] * 4
    assert table.notes == ((f"{path} was read with {note}",) if note else ())


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize(
    "other",
    ["1,5 %", "1,5E+03", "1,234e3", ",5", "-,5", "1,50 €", "€ 1,50", "1,5 kg", "0,500", "1.234,5"],
)
def test_a_decimal_comma_in_any_number_tells_that_1_000_may_be_a_thousand(
    tmp_path, other, separator
):
    path = write(tmp_path / "a.csv", beside("1.000", f'"{other}"', separator))
    with pytest.raises(ValueError, match=f"got '1.000'. Because of '{re.escape(other)}' commas"):
        read(path)
    write(tmp_path / "a.csv", beside("1.500 ", f'"{other}"', separator).replace("1.5", "0.5", 1))
    csv_file._read_once.cache_clear()
    assert read(path).X[:2, 0].tolist() == [0.5, 1.5]


LATER = (  # rows of a feature and a column that isn't read; what comes out
    (["7 5", "7 1,5", "7 5", "1.000 5"], "line 5, .* got '1.000'. Because of '1,5' commas count"),
    (["1.000 5", "7 5", "7 5", "7 1,5"], "line 2, .* got '1.000'. Because of '1,5' commas count"),
    (["1.000 5", "7 5", "7 5", "1,5 5"], "line 2, .* got '1.000'. Because of '1,5' commas count"),
    (["2.5 5", "7 5", "7 5", "1,5 5"], "line 2, .* got '2.5'. Because of '1,5' commas count"),
    (
        ["1,000 5", "7 5", "7 5", "2.5 5"],
        "'2.5'. Because of '1,000' commas|'1,000'. Thousands must",
    ),
    (["7 5", "7 1,5", "1.000 5", "0.5 5"], [7, 7, 1, 0.5]),
    (["7 5", "7 5", "7 5", "1,5 5"], [7, 7, 7, 1.5]),
    (["1,000 5", "7 5", "7 5", "1,5 5"], [1, 7, 7, 1.5]),
    (["7 5", "7 5", "1.000 5", "7 5"], [7, 7, 1, 7]),
)


@pytest.mark.parametrize(("rows", "outcome"), LATER)
def test_later_rows_may_tell_how_the_first_are_read(tmp_path, monkeypatch, rows, outcome):
    lines = ["a;c;b;y", *(f"{row};{i * i};{i % 2}" for i, row in enumerate(rows))]
    path = write(tmp_path / "a.csv", "\n".join(lines).replace(" ", ";"))
    for size in (1, 2, 3, 9):
        monkeypatch.setattr(csv_file, "ROWS_AT_A_TIME", size)
        csv_file._read_once.cache_clear()
        if isinstance(outcome, list):
            assert read(path, "a,b").X[:, 0].tolist() == outcome
        else:
            with pytest.raises(ValueError, match=outcome):
                read(path, "a,b")


@pytest.mark.parametrize(
    "labels", [("9007199254740992", "9007199254740993"), ("1e999", "2e999"), ("t\x8fte", "t\x90te")]
)
def test_labels_that_differ_are_two_classes(tmp_path, labels):
    rows = [f"1,{i * i},{label}" for i, label in enumerate(2 * labels)]
    table = read(write(tmp_path / "a.csv", "\n".join(["a,b,y", *rows]), "latin-1"))
    assert table.y.tolist() == [0, 1, 0, 1]
    assert not any("writing" in note for note in table.notes)


def test_numbers_for_labels_may_have_decimal_commas(tmp_path):
    for number in ("1,5", "1"):
        rows = [f"{number};{i};{y}" for i, y in enumerate(("1", "1,0", "0,0", "10,0", "0", "10"))]
        table = read(write(tmp_path / f"{number}.csv", "\n".join(["a;b;y", *rows])))
        assert table.class_names == ("0", "1", "10")
        assert table.y.tolist() == [1, 1, 0, 2, 0, 2]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            [f"{i / 7}" for i in range(50)],
            "must have classes; got 50 different labels in 50 rows, as meas.*",
        ),
        (["0.5", *(f"{i % 35}" for i in range(949))], "36 different labels in 950 rows, as meas.*"),
        (["NA", *(f"{i / 7}" for i in range(40))], "41 different labels in 41 rows, as meas.*"),
        ([f"id{i}" for i in range(40)], "40 different labels in 40 rows, as measurements or names"),
        (["rare", *("a", "b") * 20], "each class twice or more, .*'rare' is there once"),
        (["2", *("0", "1") * 20], "each class twice or more, .*'2' is there once"),
    ],
)
def test_labels_that_are_none_are_called_so(tmp_path, labels, words):
    text = "a,b,y\n" + "".join(f"1,2,{label}\n" for label in labels)
    with pytest.raises(ValueError, match=f"{words}.*The option --label names another column"):
        read(write(tmp_path / "a.csv", text))


def test_columns_that_vary_little_around_a_large_mean_are_standardized(tmp_path):
    random = np.random.default_rng(0)
    places = [13.4, 52.52] + random.normal(size=(80, 2)) * [4e-3, 4e-4]
    rows = [f"{x:.6f},{y:.6f},{'ab'[i % 2]}" for i, (x, y) in enumerate(places)]
    data = make_data(data=write(tmp_path / "a.csv", "\n".join(["lon,lat,side", *rows])))
    mean, std = data.standardize
    np.testing.assert_allclose(mean, [13.4, 52.52], atol=2e-3)
    np.testing.assert_allclose(std, [4e-3, 4e-4], rtol=0.3)


def test_many_columns_of_which_two_have_one_name_are_refused(tmp_path):
    names = [f"c{i}" for i in range(20_000)]
    path = write(tmp_path / "a.csv", ",".join([*names, "c7"]) + "\n")
    with pytest.raises(ValueError, match="each column once; got 'c7' twice"):
        read(path)


def test_a_label_column_of_measurements_is_refused(tmp_path):
    text = "a,b,c\n" + "".join(f"1,2,{i / 7}\n" for i in range(1002))
    with pytest.raises(ValueError, match=r"line 1002, column 'c' must have at most 1,000 diff"):
        read(write(tmp_path / "a.csv", text))


def test_memory_grows_with_the_numbers_and_not_with_the_text(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "ROWS_AT_A_TIME", 5000)
    peaks = []
    for rows in (20_000, 60_000):
        path = write(
            tmp_path / f"{rows}.csv", "a,b,c\n" + "0.123456,7.654321,x\n1,2,y\n" * (rows // 2)
        )
        tracemalloc.start()
        read(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    tensors = 16 + 8  # bytes of two float64 and of an int64
    assert (peaks[1] - peaks[0]) / 40_000 < 3 * tensors  # as text a row takes some 300


@pytest.mark.parametrize("beginning", [b"", b"a,b,c\n" * 20_000])
def test_a_line_without_an_end_takes_little_memory(tmp_path, beginning):
    path = tmp_path / "a.csv"
    with open(path, "wb") as file:
        file.write(beginning)
        file.write(b"7" * csv_file.SAMPLE * 2)  # so that it looks like text
        file.truncate(10**8)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"line .* must have at most 10,000,000 characters"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**7
    tracemalloc.stop()


def test_what_is_just_within_the_bounds_is_read(tmp_path, monkeypatch):
    name, line = "a" * 200, f"-1e30,1e30,{'x' * 200}\n"
    path = write(tmp_path / "a.csv", f"{name},b,c\n" + (line + "1,2,y\n") * 2)
    monkeypatch.setattr(csv_file, "MAX_LINE", len(line))
    table = read(path)
    assert table.X.tolist() == [[-1e30, 1e30], [1, 2]] * 2
    assert (table.feature_names[0], table.class_names[0]) == (name, "x" * 200)
    monkeypatch.setattr(csv_file, "MAX_LINE", len(line) - 1)
    csv_file._read_once.cache_clear()
    with pytest.raises(ValueError, match="line 2 must have at most"):
        read(path)


# From the file to the pictures


def many_rows(tmp_path):
    random = np.random.default_rng(0)
    kinds = {"cat": (25, 4), "dog": (50, 20), "horse": (160, 450)}
    lines = ["height,weight,kind"]
    for kind in list(kinds) * 60:
        height, weight = random.normal(1, 0.1, 2) * kinds[kind]
        lines.append(f"{height:.2f},{weight:.2f},{kind}")
    return write(tmp_path / "animals.csv", "\n".join(lines))


def test_the_model_standardizes_by_the_training_points_and_takes_raw_ones(tmp_path):
    data = make_data(data=many_rows(tmp_path))
    mean, std = data.standardize
    np.testing.assert_allclose(mean, data.X_train.double().mean(dim=0), rtol=1e-6)
    np.testing.assert_allclose(std, data.X_train.double().std(dim=0, correction=0), rtol=1e-6)
    model = script.build(script.CircleModelV2, {"seed": 0}, data)
    inside = model.layers.standardize(data.X_train)
    torch.testing.assert_close(inside.mean(dim=0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(inside.std(dim=0, correction=0), torch.ones(2), atol=1e-5, rtol=0)


def test_the_script_learns_a_file_and_its_names_reach_the_pictures(tmp_path, monkeypatch):
    path, out = many_rows(tmp_path), tmp_path / "out"
    figures = []
    save = lab.run.save_figure
    monkeypatch.setattr(
        lab.run, "save_figure", lambda f, *a, **k: figures.append(f) or save(f, *a, **k)
    )
    main(["--data", path, "--epochs", "60", "--device", "cpu", "--out", str(out)])
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["class_names"] == ["cat", "dog", "horse"]
    assert metrics["feature_names"] == ["height", "weight"]
    assert metrics["models"]["CircleModelV2"]["test_accuracy"] > 0.95
    boundaries = figures[0]
    assert [text.get_text() for text in boundaries.legends[0].get_texts()] == [
        "cat",
        "dog",
        "horse",
        "wrong",  # the rings
    ]
    assert boundaries.axes[2].get_xlabel() == "height"
    assert boundaries.axes[2].get_ylabel() == "weight"
    assert boundaries.axes[0].get_ylim()[1] > 450  # in the file's units

    model, settings = load_checkpoint(out / "circle_model_v2.safetensors")
    predicted = model(torch.tensor([[25.0, 4.0], [50.0, 20.0], [160.0, 450.0]])).argmax(dim=1)
    assert [settings["class_names"][number] for number in predicted] == ["cat", "dog", "horse"]
    saved_models.main([str(out / "circle_model_v2.safetensors")])
    assert (out / "circle_model_v2.png").stat().st_size > 10_000


def test_many_seeds_read_a_file_once_and_split_it_each_in_its_own_way(tmp_path, capsys):
    path = many_rows(tmp_path)
    main(["--data", path, "--epochs", "2", "--seeds", "3", "--out", str(tmp_path / "out")])
    info = csv_file._read_once.cache_info()
    assert (info.misses, info.hits) == (1, 4)  # two hits are for the notes on it
    assert "best possible" not in capsys.readouterr().out
    assert not torch.equal(make_data(data=path, seed=1).y_test, make_data(data=path, seed=2).y_test)


def test_each_of_the_tables_that_are_compared_has_its_notes(tmp_path, capsys):
    table = "a;b;y\n" + "".join(f"{i * i};{i % 7};{'xy'[i % 2]}\n" for i in range(40))
    plain = write(tmp_path / "plain.csv", table.replace(";", ","))
    others = [write(tmp_path / f"{name}.csv", table) for name in "cd"]
    command = (
        f"--compare data={plain},{','.join(others)} --epochs 2 --seeds 2 --out {tmp_path / 'o'}"
    )
    main(["--data", plain, *command.split()])
    printed = capsys.readouterr().out.splitlines()
    notes = [f"{path} was read with semicolons between its columns." for path in others]
    assert [line for line in printed if "was read" in line] == notes


def test_a_rare_class_may_be_missing_from_the_test_set(tmp_path):
    text = (
        "a,b,c\n" + "".join(f"{i},{i % 7},{'xy'[i % 2]}\n" for i in range(100)) + "1,2,z\n3,4,z\n"
    )
    path = write(tmp_path / "a.csv", text)
    data = make_data(data=path, test_size=0.1)
    assert data.y_test.max() < 2 or data.y_train.max() < 2
    main(["--data", path, "--test-size", "0.1", "--epochs", "3", "--out", str(tmp_path)])
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["class_names"] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([5.0, 5.0, 5.0], "feature 'a' must vary by more .* its standard deviation 0"),
        ([1e6, 1e6 + 1, 1e6], "feature 'a' must vary"),
    ],
)
def test_a_feature_that_float32_cannot_tell_apart_is_refused(column, message):
    with pytest.raises(ValueError, match=message):
        mean_and_std(np.float32([column, [1, 2, 3]]).T, ("a", "b"))


def test_a_run_tells_how_its_table_was_read(tmp_path, capsys):
    path = tmp_path / "table.csv"
    rows = [f"{i / 10};{i % 7};{'rare' if i < 2 else 'often'}" for i in range(40)]
    path.write_text("\n".join(["a;b;c", *rows]).replace(".", ","))
    arguments = ["--data", str(path), "--epochs", "1", "--device", "cpu", "--out", str(tmp_path)]
    main([*arguments, "--test-size", "0.1"])
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"{path} was read with semicolons between its columns and decimal commas."
    assert second == "The test set has no point of class 'rare'."
    main([*arguments, "--test-size", "0.5", "--seeds", "2"])
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"{path} was read with semicolons between its columns and decimal commas."
    assert second == "2 seeds, 42 to 43, on cpu."


def test_a_file_with_too_few_rows_is_one_sentence(tmp_path, capsys):
    path = write(tmp_path / "a.csv", ROWS)
    with pytest.raises(SystemExit) as stop:
        main(["--data", path, "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert "--test-size must leave at least 3 of the 6 points" in capsys.readouterr().err


# Whatever a file holds, it is a table or one clear error

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
FIELD = st.one_of(
    TEXT,
    st.floats().map(repr),
    st.integers(-(10**40), 10**40).map(str),
    st.sampled_from(["", " ", "nan", "inf", "-0", "1e400", "0x10", "1_0", '"', "a", "b", "\x00"]),
)
LINES = st.lists(st.lists(FIELD, min_size=1, max_size=5), max_size=12)


def table_or_error(path):
    csv_file._read_once.cache_clear()
    try:
        return read(path), None
    except (ValueError, OSError) as error:
        return None, str(error)


def assert_a_table_or_one_sentence(path):
    table, error = table_or_error(path)
    if error is not None:
        assert error.startswith(str(path))
        assert "\n" not in error
        assert len(error) < 500 + len(str(path))
        return
    assert table.X.dtype == np.float64
    assert table.X.shape == (len(table.y), 2)
    assert np.isfinite(table.X).all()
    assert len(table.class_names) >= 2
    assert set(np.unique(table.y)) == set(range(len(table.class_names)))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=LINES, separator=st.sampled_from([",", ";", "\t"]))
def test_lines_of_any_fields(tmp_path_factory, lines, separator):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    text = "\n".join(separator.join(line) for line in lines)
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    assert_a_table_or_one_sentence(path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_bytes_that_are_changed_cut_out_or_put_in(tmp_path_factory, data):
    content = bytearray(ROWS.encode() * 3)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 5))
        content[place : place + length] = data.draw(st.binary(max_size=5))
        content = content or bytearray(b",")
    path = tmp_path_factory.getbasetemp() / "changed.csv"
    path.write_bytes(content)
    assert_a_table_or_one_sentence(path)


def test_names_are_drawn_as_they_are(tmp_path, monkeypatch):
    rows = ["a$b$,_c$\\frac{$,kind", *["1,2,$x^{$", "2,4,_hidden", "3,3,$5 to $10"] * 5]
    path, texts = write(tmp_path / "a.csv", "\n".join(rows)), []

    def spy(figure, *arguments, **options):
        texts.extend(text.get_text() for text in figure.findobj(Text))
        return savefig(figure, *arguments, **options)

    savefig = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", spy)
    arguments = ["--data", path, "--epochs", "2", "--device", "cpu", "--out", str(tmp_path)]
    main([*arguments, "--animate"])
    assert {"a$b$", "_c$\\frac{$", "$x^{$", " _hidden", "$5 to $10"} <= set(texts)
    texts.clear()
    saved_models.main([str(tmp_path / "circle_model_v2.safetensors")])
    assert {"a$b$", "_c$\\frac{$", "$x^{$", " _hidden", "$5 to $10"} <= set(texts)


def test_letters_that_the_font_lacks_are_told_of_in_one_sentence(tmp_path, capsys):
    path = write(tmp_path / "a.csv", "높이,b$,kind\n" + "1,2,犬\n2,4,cat\n3,3,犬\n" * 5)
    out = tmp_path / "out"
    main(["--data", path, "--epochs", "2", "--device", "cpu", "--out", str(out)])
    note = "Pictures have boxes for what their font lacks: 높이犬."
    assert capsys.readouterr().out.splitlines()[0] == note
    saved_models.main([str(out / "circle_model_v2.safetensors")])
    assert capsys.readouterr().out.splitlines()[0] == note


def test_a_sentence_on_a_file_stays_short(tmp_path):
    long = "x" * 100_000
    for text in (f"{long},b\n", f"{long},b,{long}\n", f"a,b,{long}\n1,2,{long}\n", "a\nb,c\n"):
        path = write(tmp_path / "a.csv", text)
        for features in (None, "q,r", long, f"{long},b"):
            with pytest.raises(ValueError, match="must") as error:
                read(path, features)
            assert len(str(error.value)) < 1000
            assert "\n" not in str(error.value)


def test_rows_after_many_empty_lines_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "ROWS_AT_A_TIME", 3)
    path = tmp_path / "gap.csv"
    path.write_text("a,b,kind\n" + "1,2,p\n1,2,q\n" + "\n" * 7 + "1,2,r\n1,3,r\n1,2,p\n1,2,q\n")
    X, y, class_names, *_ = csv_file.read_csv(str(path), None, None)
    assert class_names == ("p", "q", "r")
    assert y.tolist() == [0, 1, 2, 2, 0, 1]
    assert X.shape == (6, 2)
