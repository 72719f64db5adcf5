"""A network as an ONNX file, for onnxruntime and its like."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from avnnet.atomic import check_absent, whole_file
from avnnet.errors import InvalidNetwork, NotInstalled
from avnnet.exchange.card import card, chosen_member
from avnnet.exchange.program import Sizes, Traced, check_equal, traced
from avnnet.inference.segmenter import Segmenter

IMAGE, PROBABILITIES = "image", "probabilities"
RIGHT_SIZE = "image_of_right_size"
ONE = "int64[1] one = {1}"
GUARD = f"""
    head = Shape<end = 2>({IMAGE})
    size = Shape<start = 2>({IMAGE})
    rest = Mod(size, steps)
    uneven = Min(rest, one)
    is_small = Less(size, least)
    small = Cast<to = 7>(is_small)
    is_large = Greater(size, most)
    large = Cast<to = 7>(is_large)
    narrow = Add(uneven, small)
    wrong = Add(narrow, large)
    wanted = Add(size, wrong)
    asked = Concat<axis = 0>(head, wanted)
    {RIGHT_SIZE} = Reshape({IMAGE}, asked)
"""


def write_onnx(model: Segmenter, path: str | Path, *, number: int | None = None) -> Sizes:
    """The sizes that the file takes which was written.

    The card stands in `metadata_props`, each entry as JSON: in onnxruntime
    `session.get_modelmeta().custom_metadata_map["spacing_mm"]`. Before it is written, onnxruntime's answers are
    compared with the network's.

    Args:
        model: a trained model.
        path: the file to make.
        number: which network of the model, from 1; None where it has one.

    Raises:
        OutputNotWritable: if the path exists.
        NotInstalled: if onnx, onnxscript or onnxruntime are not.
        InvalidConfig: if the model has several networks and none is chosen.
        InvalidNetwork: if torch.export or ONNX does not take the network.
    """
    path = Path(path)
    check_absent(path)
    onnx, runtime = _packages()
    member = chosen_member(model, number)
    found = traced(member)
    content = _translated(found, member.name)
    guard_sizes(content, found.sizes)
    said = {**card(model, member), "sizes": found.sizes.card()}
    onnx.helper.set_model_props(content, {key: json.dumps(value) for key, value in said.items()})
    content.producer_name, content.producer_version = "avnnet", said["avnnet_version"]
    content.doc_string = said["warning"]
    onnx.checker.check_model(content)
    written = content.SerializeToString()
    session = runtime.InferenceSession(written, providers=["CPUExecutionProvider"])

    def run(image: Tensor) -> Tensor:
        return torch.from_numpy(session.run([PROBABILITIES], {IMAGE: image.numpy()})[0])

    check_equal(member, found.sizes, run, "the ONNX file")
    with whole_file(path) as partial:
        partial.write_bytes(written)
    return found.sizes


def _packages() -> tuple[Any, Any]:
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  # torch translates with it
    except ImportError as error:
        raise NotInstalled(
            f"an ONNX file is written by onnx and onnxscript and tried by onnxruntime; {error.name} is not installed: "
            'pip install "avnnet[export]". --format torch-export needs none of them'
        ) from error
    return onnx, onnxruntime


def _translated(found: Traced, name: str) -> Any:
    try:
        with _quiet():
            made = torch.onnx.export(
                found.program,
                (found.example,),
                dynamo=True,
                verbose=False,
                input_names=[IMAGE],
                output_names=[PROBABILITIES],
            )
    except Exception as error:  # whatever the exporter meets
        reasons = [line for line in str(error).splitlines() if "No ONNX function" in line]
        said = (reasons or str(error).splitlines() or [""])[0]
        raise InvalidNetwork(
            f"{name} cannot be written as ONNX: {type(error).__name__}: {said[:300]}; take --format torch-export"
        ) from error
    if made is None:
        raise InvalidNetwork(f"{name} cannot be written as ONNX: the exporter gave nothing; take --format torch-export")
    return made.model_proto


@contextmanager
def _quiet() -> Iterator[None]:
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # it counts the packages that are not installed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def guard_sizes(content: Any, sizes: Sizes) -> None:
    """Makes an ONNX model refuse images of other sizes than it was exported for.

    ONNX does not look at sizes by itself: a network that sees a smaller image than it can may answer. The image is
    reshaped to its own size, plus 1 along each axis that is wrong, which no runtime can do; the name of the node says
    what is right.

    Args:
        content: an `onnx.ModelProto` whose input is called `image`; it is changed.
        sizes: that it takes.
    """
    from onnx import parser

    for node in content.graph.node:
        for place, name in enumerate(node.input):
            if name == IMAGE:
                node.input[place] = RIGHT_SIZE
    values = {"steps": sizes.steps, "least": sizes.least, "most": sizes.most}
    given = ", ".join(f"int64[{len(one)}] {name} = {{{', '.join(map(str, one))}}}" for name, one in values.items())
    guard = parser.parse_graph(f"guard (float {IMAGE}) => (float {RIGHT_SIZE}) <{given}, {ONE}> {{{GUARD}}}")
    rule = f"each_axis_is_a_multiple_of_{_words(sizes.steps)}_from_{_words(sizes.least)}_to_{_words(sizes.most)}"
    own = {name for node in guard.node for name in node.output} | {one.name for one in guard.initializer}
    for tensor in guard.initializer:
        tensor.name = _unlike(tensor.name)
        content.graph.initializer.append(tensor)
    for place, node in enumerate(guard.node):
        node.input[:] = [_unlike(name) if name in own else name for name in node.input]
        node.output[:] = [name if name == RIGHT_SIZE else _unlike(name) for name in node.output]
        node.name = rule if node.op_type == "Reshape" else node.output[0]
        content.graph.node.insert(place, node)


def _unlike(name: str) -> str:
    """A name that no other of the graph has."""
    return f"{RIGHT_SIZE}.{name}"


def _words(values: tuple[int, ...]) -> str:
    return "x".join(map(str, values))
