"""Changes of bytes, of DICOM elements, of the words of a header, and of JSON; each by a generator of a known seed."""

from __future__ import annotations

import copy
import json
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

Rng = np.random.Generator
NUMBERS = [
    "0", "-1", "1", "2", "3.5", "nan", "inf", "-inf", "1e308", "-1e308", "1e-308", "1e999", "4096", "65535",
    "2147483647",
    "-2147483648", "4294967296", "99999999999999999999", "1,5", "0x10", "", " ", "abc", "1\\2\\3", "\\\\", "\x00", "ä",
    "1e30", "1e-30", "none", "true",
]  # fmt: skip
CODES = [0, 1, -1, 2, 127, 128, 255, 256, 512, 32767, -32768, 2**31 - 1, -(2**31), 4096, 16, 64]
ELEMENT = re.compile(rb"(?s)..[\x00-\xff].(AE|AS|CS|DA|DS|FD|FL|IS|LO|LT|OB|OW|PN|SH|SQ|SS|SL|ST|TM|UI|UL|UN|US|UT)")
REPRESENTATIONS = [
    b"CS",
    b"DS",
    b"FD",
    b"IS",
    b"LO",
    b"OB",
    b"OW",
    b"PN",
    b"SQ",
    b"UI",
    b"UL",
    b"UN",
    b"US",
    b"ZZ",
    b"\0\0",
]


def any_bytes(content: bytes, rng: Rng, within: int | None = None) -> bytes:
    """Content with some bytes changed, taken out, doubled, or cut off."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        end = min(len(data), within or len(data))
        if end < 2:
            break
        at = int(rng.integers(end))
        length = int(rng.choice([1, 1, 2, 4, 8, 40]))
        match int(rng.integers(7)):
            case 0:
                data[at] ^= 1 << int(rng.integers(8))
            case 1:
                data[at] = int(rng.integers(256))
            case 2:
                data[at : at + length] = rng.bytes(length)
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length]
            case 5:
                data[at : at + 4] = struct.pack(str(rng.choice(["<i", ">i"])), int(rng.choice(CODES)))
            case 6 if rng.random() < 0.2:
                del data[at:]
            case _:
                data[at : at + 4] = struct.pack("<f", float(rng.choice([0.0, -1.0, 1e30, np.nan, np.inf, 1e-30])))
    return bytes(data)


def element(content: bytes, rng: Rng) -> bytes:
    """A DICOM file of explicit representations with one element changed, at any depth."""
    places = [one.start() for one in ELEMENT.finditer(content, 132, len(content)) if one.start() < 6000]
    at = int(rng.choice(places))
    length = struct.unpack_from("<H", content, at + 6)[0]
    tag, representation, value = content[at : at + 4], content[at + 4 : at + 6], content[at + 8 : at + 8 + length]
    rest = content[at + 8 + length :]
    match int(rng.integers(7)):
        case 0:
            value = str(rng.choice(NUMBERS)).encode()
        case 1:
            value = rng.bytes(int(rng.integers(12)))
        case 2:
            representation = REPRESENTATIONS[int(rng.integers(len(REPRESENTATIONS)))]
        case 3:
            return content[:at] + rest
        case 4:
            value = value + b"\\" + value
        case 5:
            value = (value * 200)[: int(rng.integers(65000))]
        case _:
            tag = rng.bytes(4) if rng.random() < 0.5 else content[(other := int(rng.choice(places))) : other + 4]
    value += b" " * (len(value) % 2 and int(rng.random() < 0.7))
    return content[:at] + tag + representation + struct.pack("<H", len(value) & 0xFFFF) + value + rest


def words(content: bytes, rng: Rng, until: bytes) -> bytes:
    """A file whose header is text, with a number, a word or a line of it changed."""
    end = content.find(until)
    end = min(len(content), 1500) if end < 0 else end + len(until)
    lines = content[:end].split(b"\n")
    for _ in range(int(rng.integers(1, 3))):
        nth = int(rng.integers(len(lines)))
        match int(rng.integers(6)):
            case 0:
                del lines[nth]
            case 1:
                lines.insert(int(rng.integers(len(lines) + 1)), lines[nth])
            case 2:
                lines[nth] = lines[nth].partition(b":")[0] + b": " + str(rng.choice(NUMBERS)).encode()
            case 3:
                lines[nth] = re.sub(rb"[=:].*", lambda _: b"= " + rng.bytes(6), lines[nth])
            case _:
                found = list(re.finditer(rb"[-\w.]+", lines[nth]))
                if found:
                    one = found[int(rng.integers(len(found)))]
                    new = str(rng.choice(NUMBERS)).encode()
                    lines[nth] = lines[nth][: one.start()] + new + lines[nth][one.end() :]
        if not lines:
            lines = [b""]
    return b"\n".join(lines) + content[end:]


def _deep(rng: Rng) -> Any:
    value: Any = 1
    for _ in range(int(rng.choice([5, 40, 500]))):
        value = [value] if rng.random() < 0.5 else {"class": value, "args": {}}
    return value


TYPES = ["F16", "BF16", "F64", "I64", "BOOL", "F8_E4M3", "C64", "U64", "F32"]  # of a weight file
PLAIN: list[Any] = [
    None, -1, 0, 1.5, True, "", [], {}, 10**30, 30_000, 1e308, float("nan"), float("inf"), "x" * 5000,
    "../../etc/passwd", "\0", [1] * 3000, {"type": "ConvBlock"}, {"items": [[1, 2]]}, [[1, 2, 2]] * 3,
    {"class": "UNet2D", "args": {}}, [2, 1, 3, 3, 3],
]  # fmt: skip
MADE: list[Callable[[Rng], Any]] = [
    _deep,
    lambda rng: int(rng.integers(-3, 9)),
    lambda rng: [0, int(rng.integers(400))],
    lambda rng: str(rng.choice(TYPES)),
]


def _value(rng: Rng) -> Any:
    if rng.random() < 0.8:
        return copy.deepcopy(PLAIN[int(rng.integers(len(PLAIN)))])
    return MADE[int(rng.integers(len(MADE)))](rng)


def json_value(content: Any, rng: Rng) -> Any:
    """Plain values with one of them replaced, taken out, doubled or renamed, at any depth."""
    changed = copy.deepcopy(content)
    places: list[tuple[Any, Any]] = []

    def collect(value: Any) -> None:
        keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for key in keys:
            places.append((value, key))
            collect(value[key])

    collect(changed)
    holder, key = places[int(rng.integers(len(places)))]
    match int(rng.integers(6)):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[key + "x"] = holder.pop(key)
        case 2 if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case _:
            holder[key] = _value(rng)
    return changed


def json_text(content: Any) -> str:
    """JSON, also of what is nested deeper than `json` writes."""
    try:
        return json.dumps(content)
    except RecursionError:
        return "[" * 100_000
