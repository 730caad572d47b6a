"""Documents of strangers: plain data, no bombs; and what is written is read back as it was."""

import time

import pytest

from audiobend.errors import PatchError
from audiobend.io.yamlfile import dump_document, parse_document, read_document


def parse(text):
    return parse_document(text, error=PatchError)


def laughs(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return "\n".join(lines)


BOMBS = {
    "billion laughs": (laughs(9), "holds more than 200000 values"),
    "circle": ("a: &a [*a]", "an alias stands inside of what it means"),
    "circle of two": ("a: &a {b: &b [*a]}\nc: *b", "an alias stands inside of what it means"),
    "deep list": ("[" * 100_000, "is nested too deeply (24 levels are allowed)"),
    "deep json": ("[" * 100_000 + "]" * 100_000, "is nested too deeply (24 levels are allowed)"),
    "deep mapping": ("{a: " * 100_000, "is nested too deeply (24 levels are allowed)"),
    "deep block": ("- " * 100_000, "is nested too deeply (24 levels are allowed)"),
    "deep keys": ("? " * 100_000, "is nested too deeply (24 levels are allowed)"),
    "deep aliases": (
        "\n".join(["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 300))]),
        "is nested too deeply (24 levels are allowed)",
    ),
    "many values": ("[" + "1," * 200_001 + "x: y]", "holds more than 200000 values"),
    "long": ("x" * (2**20 + 1), "may hold 1024 KiB at most, but holds 1024"),
    "long number": ("a: " + "9" * 5000, "holds a number or date that cannot be read (Exceeds the limit"),
    "code": ("a: !!python/object/apply:os.system [ls]", "line 1: is not YAML: could not determine a constructor"),
    "set": ("!!set {a, b}", "holds a set; only words, numbers, lists and mappings are allowed"),
    "bytes": ("a: !!binary aGk=", "holds a bytes; only words, numbers, lists and mappings are allowed"),
    "nan": ("a: .nan", "holds nan, which is not a number one can use"),
    "infinity": ("a: [1, -.inf]", "holds -inf, which is not a number one can use"),
    "json nan": ('{"a": NaN}', "holds nan, which is not a number one can use"),
    "overflow": ("a: 1e999", "holds inf, which is not a number one can use"),
    "double key": ("a: 1\nb: 2\na: 3", "line 3: the key 'a' stands twice"),
    "double json key": ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
    "list as key": ("[1]: 2", "line 1: a key must be a word or a number"),
    "two documents": ("a: 1\n---\nb: 2", "holds more than one document (a line '---'); keep one in a file"),
    "no yaml": ("a: [1", "line 2: is not YAML: did not find expected ',' or ']'"),
    "tab": ("a:\n\t- b", "line 2: is not YAML: found character that cannot start any token"),
    "zero byte": ("a: \x00", "is not YAML: control characters are not allowed"),
    "unknown alias": ("*x", "line 1: is not YAML: found undefined alias"),
}


@pytest.mark.parametrize("text, sentence", BOMBS.values(), ids=BOMBS)
def test_bombs_and_broken_documents_are_one_sentence_at_once(text, sentence):
    start = time.perf_counter()
    with pytest.raises(PatchError) as caught:
        parse(text)
    assert str(caught.value).startswith(sentence)
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)
    assert time.perf_counter() - start < 5


def test_words_are_words_as_in_yaml_1_2():
    text = "on: off\nno: yes\noctal: 010\ntime: 1:30\ndate: 2020-01-01\nhex: 0x1F\nmerge: {<<: {a: 1}}"
    assert parse(text) == {
        "on": "off",
        "no": "yes",
        "octal": 10,
        "time": "1:30",
        "date": "2020-01-01",
        "hex": "0x1F",
        "merge": {"<<": {"a": 1}},
    }
    assert parse("[1, -2, +3, 1.5, .5, 1e3, 2., true, False, null, ~]") == [
        1, -2, 3, 1.5, 0.5, 1000.0, 2.0, True, False, None, None,
    ]  # fmt: skip
    assert parse("{a: &x [1], b: *x}") == {"a": [1], "b": [1]}


def test_json_is_read_with_tabs_too():
    assert parse('{\n\t"a": [1, 2.5, "x", null, true]\n}') == {"a": [1, 2.5, "x", None, True]}


@pytest.mark.parametrize(
    "value",
    [
        *("on", "1", "1e5", "null", "", "~", "2020-01-01", "a: b #c", "- x", "ä\n b", "it's", "\x07", "\u2028", "1:30"),
        *(1e-05, 1e22, 0.1, -0.0, 1e300, 123456789, True, None, [], {}, [[1], {"a": [None]}], {1: "x", "on": False}),
    ],
)
def test_what_is_written_is_read_back(value):
    assert repr(parse(dump_document({"x": value, "y": [value, value]}))) == repr({"x": value, "y": [value, value]})


@pytest.mark.parametrize(
    ("content", "end"),
    [
        (None, "cannot be read: there is no such file or folder"),
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (bytes(range(256)), "is not a text file (UTF-8)"),
        ("a: 1".encode("utf-16"), "is not a text file (UTF-8)"),
        (b"#" * (2**20 + 1), "may hold 1024 KiB at most"),
        (b"a: [", "line 2: is not YAML: did not find expected node content"),
    ],
)
def test_files_that_cannot_be_read_are_one_sentence_with_their_name(tmp_path, content, end):
    path = tmp_path / "p.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PatchError) as caught:
        read_document(path, error=PatchError)
    assert str(caught.value) == f"{path}: {end}"


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "p.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert read_document(tmp_path / "p.yaml", error=PatchError) == {"a": 1}
