"""Networks that go to PyTorch and come from there. `make torch` brings it."""

from __future__ import annotations

import copy
import subprocess
import sys

import numpy as np
import pytest
from helpers_export import CLASSES, TARGET, X, fitted, networks

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor, Predictor, custom_activation, from_torch

torch = pytest.importorskip("torch", reason="needs PyTorch: make torch")
nn = torch.nn

CASES = {case.name: case for case in networks()}


def outputs(module, X):
    """Return what a module makes of rows, as an array."""
    with torch.no_grad():
        return module(torch.tensor(np.asarray(X))).numpy()


@pytest.mark.parametrize("name", CASES)
def test_modules_predict_what_the_model_does(name):
    model, rows = CASES[name].model, CASES[name].rows
    module = model.to_torch()
    assert not module.training
    found = outputs(module, np.asarray(rows, model._learnt.network.dtype))
    if hasattr(model, "classes_"):
        (wanted,) = CASES[name].answers.values()
    else:
        wanted = Predictor(model)(rows)
    assert found.shape == wanted.shape
    scale = max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("name", ["front_plr_3_True", "gelu_float32", "gaussian_nll_True_1"])
def test_a_module_has_weights_of_its_own_and_can_be_trained(name):
    model, rows = CASES[name].model, CASES[name].rows
    before, module = model.predict(rows).copy(), model.to_torch().train()
    x = torch.tensor(np.asarray(rows, np.float32))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
    losses = []
    for _ in range(20):
        loss = module(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(model.predict(rows), before)
    again = copy.deepcopy(module).eval()
    np.testing.assert_array_equal(outputs(again, x), outputs(module.eval(), x))


PLAIN = {
    "batch_float32": "Linear BatchNorm1d Tanh Linear BatchNorm1d Tanh Linear Softmax",
    "layer_float64": "Linear LayerNorm Tanh Linear LayerNorm Tanh Linear Softmax",
    "group_float32": "Linear GroupNorm Tanh Linear GroupNorm Tanh Linear Softmax",
    "instance_float32": "Linear GroupNorm Tanh Linear GroupNorm Tanh Linear Softmax",
    "identity_float64": "Linear Linear Linear",
    "mish_float64": "Linear Mish Linear Mish Linear",
    "cross_entropy_two_1": "Linear ReLU Linear ReLU Linear Softmax",
    "cross_entropy_several_1": "Linear ReLU Linear ReLU Linear Sigmoid",
    "two_targets": "Linear ReLU Linear ReLU Linear",
    "multi_margin_three_1": "Linear ReLU Linear ReLU Linear",
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_networks_are_sequences_of_torchs_own_modules(name):
    module = CASES[name].model.to_torch()
    assert type(module) is nn.Sequential
    assert " ".join(type(each).__name__ for each in module) == PLAIN[name]


@pytest.mark.parametrize("name", PLAIN)
def test_a_module_comes_back(name):
    case = CASES[name]
    module = case.model.to_torch()
    classes = getattr(case.model, "classes_", None)
    loss = case.model.loss
    model = from_torch(module, classes, loss=loss, random_state=3)
    assert type(model) is type(case.model)
    assert model.random_state == 3
    for answer in ("predict_proba", "decision_function"):
        if hasattr(case.model, answer) and "margin" not in name:
            found, wanted = (getattr(each, answer)(case.rows) for each in (model, case.model))
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)
    if classes is None:
        np.testing.assert_allclose(
            model.predict(case.rows), case.model.predict(case.rows), rtol=1e-5, atol=1e-6
        )
    else:
        np.testing.assert_array_equal(model.predict(case.rows), case.model.predict(case.rows))


def network(*middle, n_in=6, n_out=3):
    """Return a module of PyTorch with random numbers throughout."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(n_in, 8), *middle, nn.Linear(8, n_out))
    for each in module:
        if isinstance(each, (nn.BatchNorm1d, nn.LayerNorm, nn.GroupNorm)):
            for parameter in each.parameters():
                nn.init.normal_(parameter)
        if isinstance(each, nn.BatchNorm1d) and each.running_mean is not None:
            each.running_mean.normal_()
            each.running_var.uniform_(0.5, 2)
    return module.eval()


NORMS = {
    "none": [],
    "batch": [nn.BatchNorm1d(8)],
    "batch_without": [nn.BatchNorm1d(8, affine=False)],
    "layer": [nn.LayerNorm(8)],
    "layer_without_bias": [nn.LayerNorm(8, bias=False)],
    "layer_without": [nn.LayerNorm(8, elementwise_affine=False)],
    "group": [nn.GroupNorm(2, 8)],
}
ACTIVATIONS = [
    nn.Identity(), nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.LeakyReLU(), nn.ELU(), nn.SELU(),
    nn.Softplus(), nn.GELU(), nn.GELU(approximate="tanh"), nn.SiLU(), nn.Mish(), nn.Hardsigmoid(),
    nn.Hardswish(), nn.Softsign(),
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("norm", NORMS)
def test_every_layer_that_both_have(norm, activation):
    module = network(*NORMS[norm], activation, nn.Dropout(0.25))
    model = from_torch(module)
    assert isinstance(model, MLPRegressor)
    assert model.dropout == [0.25]
    assert (model.n_iter_, model.loss_curve_) == (0, [])
    np.testing.assert_allclose(model.predict(X), outputs(module, X), rtol=0, atol=2e-6)
    wide = from_torch(copy.deepcopy(module).double())
    exact = outputs(copy.deepcopy(module).double(), X.astype(np.float64))
    np.testing.assert_allclose(wide.predict(X), exact, rtol=0, atol=1e-8)


def test_nested_sequences_and_what_may_be_around_them():
    inner = nn.Sequential(nn.Linear(6, 8, bias=False), nn.ReLU())
    module = nn.Sequential(nn.Flatten(), nn.Dropout(0.1), inner, nn.Identity(), nn.Linear(8, 1))
    model = from_torch(module.eval())
    assert (model.input_dropout, model.hidden_layer_sizes) == (0.1, (8,))
    np.testing.assert_allclose(model.predict(X), outputs(module, X)[:, 0], rtol=0, atol=1e-6)
    linear = from_torch(nn.Sequential(nn.Linear(6, 2)))
    assert linear.predict(X).shape == (60, 2)


@pytest.mark.parametrize("end", [None, nn.Softmax(dim=1), nn.LogSoftmax(dim=-1)])
@pytest.mark.parametrize("classes", [["a", "b", "c"], ["c", "a", "b"], [3, 1]])
def test_classes_are_those_of_the_outputs(classes, end):
    module = network(nn.ReLU(), n_out=len(classes))
    model = from_torch(module if end is None else nn.Sequential(module, end), classes)
    assert isinstance(model, MLPClassifier)
    p = torch.softmax(torch.tensor(outputs(module, X)), dim=1).numpy()
    order = np.argsort(classes)
    assert model.classes_.tolist() == sorted(classes)
    np.testing.assert_allclose(model.predict_proba(X), p[:, order], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(model.predict(X), np.array(classes)[p.argmax(axis=1)])


@pytest.mark.parametrize("end", [[], [nn.Sigmoid()]])
@pytest.mark.parametrize("classes", [["no", "yes"], ["yes", "no"], range(2)])
def test_one_logit_of_two_classes(classes, end):
    module = network(nn.ReLU(), n_out=1)
    model = from_torch(nn.Sequential(module, *end), classes)
    p = torch.sigmoid(torch.tensor(outputs(module, X))).numpy()[:, 0]
    second = model.classes_.tolist().index(classes[1])
    np.testing.assert_allclose(model.predict_proba(X)[:, second], p, rtol=0, atol=1e-6)


def test_several_labels():
    module = nn.Sequential(network(nn.ReLU()), nn.Sigmoid())
    model = from_torch(module, range(3))
    np.testing.assert_allclose(model.predict_proba(X), outputs(module, X), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(model.predict(X), outputs(module, X) > 0.5)


def test_a_model_from_torch_is_a_model_like_any_other(tmp_path):
    model = from_torch(network(nn.BatchNorm1d(8), nn.ReLU()), [0, 1, 2], random_state=0)
    before = model.predict_proba(X).copy()
    model.save(tmp_path / "m.fastmlp")
    loaded = fastmlp.load(tmp_path / "m.fastmlp")
    np.testing.assert_array_equal(loaded.predict_proba(X), before)
    np.testing.assert_array_equal(Predictor(model)(X), before)
    cost = model.cost(X, CLASSES)
    for _ in range(20):
        model.partial_fit(X, CLASSES)
    assert model.cost(X, CLASSES) < cost
    assert not np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert "has not been trained here" in loaded.stop_reason_


class Own(nn.Linear):
    """A layer of the user's own, which may compute anything."""


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.Linear(2, 3), "module must be a torch.nn.Sequential; got "),
        (nn.Sequential(), "must have an nn.Linear; got an empty"),
        (nn.Sequential(nn.ReLU()), r"module\['0'\], .*ReLU.*an activation must come after"),
        (network(nn.Conv1d(1, 1, 1)), r"module\['1'\], .*Conv1d.*fastmlp has no such layer"),
        (nn.Sequential(nn.Sequential(Own(2, 1))), r"module\['0\.0'\].*no such layer"),
        (network(nn.LeakyReLU(0.2)), r"module\['1'\], .*with PyTorch's default options only"),
        (network(nn.ELU(2.0)), "with PyTorch's default options only"),
        (network(nn.Softplus(beta=2)), "with PyTorch's default options only"),
        (network(nn.Threshold(0.1, 20)), "no such layer"),
        (network(nn.ReLU(), nn.BatchNorm1d(8)), r"module\['2'\].* right after nn.Linear"),
        (network(nn.ReLU(), nn.Tanh()), r"module\['2'\], .*Tanh.*an activation must come after"),
        (network(nn.BatchNorm1d(8, eps=1e-3)), "its eps is 0.001, and fastmlp has 1e-05"),
        (network(nn.LayerNorm((2, 4))), "does not fit the 8 outputs before it"),
        (network(nn.BatchNorm1d(7)), "does not fit the 8 outputs before it"),
        (network(nn.Dropout(0.1), nn.Dropout(0.1)), r"module\['2'\].*neither two nn.Dropout"),
        (network(nn.Dropout(0.1), nn.ReLU()), r"module\['2'\].*an activation must come after"),
        (network(nn.Softmax(dim=1)), r"module\['2'\].*it comes after the function of the outputs"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1)), "it takes 4 inputs but gets 3"),
        (nn.Sequential(nn.Linear(2, 3), nn.ReLU()), "the last module must be nn.Linear"),
        (nn.Sequential(nn.Linear(2, 3), nn.Dropout()), "the last module must be nn.Linear"),
        (nn.Sequential(nn.Linear(2, 3), nn.Softmax(dim=0)), "at the end, with dim=-1"),
        (network(nn.Softplus(threshold=1.0)), "with PyTorch's default options only"),
        (network(nn.Flatten()), "fastmlp flattens rows before the first layer only"),
        (network().half(), "must all be float32 or all float64; got torch.float16"),
        (nn.Sequential(nn.Linear(2, 3), nn.Sigmoid()), "ends with probabilities: pass the label"),
        (
            nn.Sequential(
                nn.Linear(6, 8), nn.GroupNorm(2, 8), nn.Linear(8, 8), nn.GroupNorm(4, 8),
                nn.Linear(8, 1),
            ),
            "All nn.GroupNorm layers of the module must have the same num_groups; got 2, 4",
        ),
        (
            network(nn.BatchNorm1d(8, track_running_stats=False)),
            "it keeps no running statistics, which fastmlp needs to predict",
        ),
    ],
)  # fmt: skip
def test_other_modules_are_named(module, text):
    with pytest.raises((TypeError, ValueError), match=text) as refused:
        from_torch(module)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ("abc", "classes must be a sequence of labels; got 'abc'"),
        (3, "classes must be a sequence of labels; got 3"),
        ([0, 1], "classes must have 3 labels for 3 outputs"),
        ([0, 1, 1], "classes must all be different"),
    ],
)
def test_wrong_classes(classes, text):
    with pytest.raises((TypeError, ValueError), match=text):
        from_torch(network(), classes)


def _own(z):
    return z * z


def _slope(z):
    return 2 * z


def test_other_refusals():
    several = nn.Sequential(network(), nn.Sigmoid())
    with pytest.raises(ValueError, match=r"classes must be range\(3\), since nn.Sigmoid makes"):
        from_torch(several, ["a", "b", "c"])
    with pytest.raises(ValueError, match="wants 6 outputs, and the module has 3: pass another"):
        from_torch(network(), loss="gaussian_nll")
    with pytest.raises(ValueError, match="loss must be"):
        from_torch(network(), loss="magic")
    with pytest.raises(ValueError, match="Invalid parameter 'magic'"):
        from_torch(network(), magic=1)
    bad = network()
    bad[0].weight.data[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"nn\.Linear 0 has weights that are not finite"):
        from_torch(bad)
    own = custom_activation(_own, _slope, name="own")
    model = fitted(MLPRegressor, TARGET, activation=own, backend="numpy").model
    with pytest.raises(ValueError, match="its activation 'own' is a Python function of yours"):
        model.to_torch()


def test_a_module_that_comes_twice_counts_twice():
    relu = nn.ReLU()
    module = nn.Sequential(nn.Linear(3, 8), relu, nn.Linear(8, 8), relu, nn.Linear(8, 1))
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    with torch.no_grad():
        wanted = module(torch.from_numpy(x)).numpy()[:, 0]
    np.testing.assert_allclose(from_torch(module).predict(x), wanted, atol=1e-6)


def test_torch_is_imported_only_when_it_is_asked_for():
    code = "import sys, fastmlp; fastmlp.from_torch; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_sequence_can_be_read_without_fastmlp(tmp_path):
    torch.save(CASES["batch_float32"].model.to_torch(), tmp_path / "m.pt")
    code = (
        "import sys; sys.modules['fastmlp'] = None\nimport torch\n"
        "print(type(torch.load('m.pt', weights_only=False)).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "Sequential"
