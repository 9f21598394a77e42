"""What every backend offers: the contract between the trainer and the numerical core.

Legend: N samples · B rows of a batch · I/O fan-in/fan-out · C outputs of the network · T columns
of the target · P trained parameters · V values of the flat vector: those and, with batch norm,
running statistics · L layers. ``real`` is float32 or float64, the same for every array of a call
except where said. Arrays are C-contiguous. Backends check nothing: the facade has done
so. They write into the arrays that they are handed and never raise for user input.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from fastmlp.plan.inputs import Inputs
from fastmlp.plan.layout import Plan

__all__ = ["PREDICTION_WORK", "Backend", "Executor", "Predictor", "Rows", "Totals"]

#: Operations of one call of ``Backend.predict``, some tens of milliseconds on a core: Ctrl-C is
#: seen between calls.
PREDICTION_WORK = 4_000_000_000


class Totals(NamedTuple):
    """Sums over the batches of one call; W_b is the sum of sample weights in batch b of B_b rows.

    Attributes
    ----------
    cost : float
        Σ_b B_b · (Σ_{r in b} w_r · loss_r) / W_b.
    penalty : float
        Σ_b B_b · (l2/2 · Σw² + l1 · Σ|w|) / W_b, with the weights *before* the batch's update.
    n_samples : int
        Σ_b B_b.
    """

    cost: float
    penalty: float
    n_samples: int


class Rows(NamedTuple):
    """A data set to learn from.

    Attributes
    ----------
    X : Inputs, shape (N, I)
        What a row of X is: an array of uint8, float32 or float64, or ``SparseRows``. A backend
        makes the rows of a batch dense, a tile at a time, and never all of X.
    target : ndarray of real, shape (N, T)
    sample_weight : ndarray of real, shape (N,), or None
    """

    X: Inputs
    target: np.ndarray
    sample_weight: np.ndarray | None = None

    def weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the weights (K,) of the rows (K,); None where all count alike."""
        return None if self.sample_weight is None else self.sample_weight[rows]


@runtime_checkable
class Executor(Protocol):
    """A plan and a fit's settings, bound to a backend with all the scratch memory of a call.

    A layer is z = x · W + b, normalised to y (y = z without a normalisation), h = f(y), and
    dropout.
    Only one call at a time.
    """

    def train(
        self,
        parameters: np.ndarray,
        moments: np.ndarray,
        rows: Rows,
        order: np.ndarray,
        batch_size: int,
        updates: np.ndarray,
    ) -> Totals:
        """Train on the rows ``order`` (K,) int64, batch by batch, in this order.

        Parameters (V,) and moments (M, P) change in place. ``updates`` (⌈K / batch_size⌉,) of
        UPDATE_DTYPE has the numbers of each batch's update. A batch whose weights sum to zero
        changes nothing and counts as cost 0. The last batch may be short.

        A network of k members learns from k · B virtual rows for a batch of B rows, member by
        member; dropout, noise and batch norm take them for rows. An ``order`` (k, K) has rows of
        each member. The cost is the mean of the members' costs, and W the mean of their sums of
        weights.

        Batch norm takes the statistics of the batch and moves the running ones by
        ``settings["batch_norm_momentum"]`` towards them, with n/(n − 1) times the variance where
        n > 1 is the number of rows: the sum of weights, or the count of those that are not 0 where
        that is more. The gradient of a bias in front of batch norm is 0.

        An update's ``dropout`` f turns a layer's threshold into min(⌊f · threshold + ½⌋, 65535).
        Its ``label_smoothing`` s turns a soft target t into t + s · (1/K - t), where K is the
        number of classes, or 2 where each output answers by itself.

        With ``input_noise``, that much of ``standard_normals`` from ``INPUT_NOISE_STREAM`` is added
        to the batch's rows of X before dropout. With ``max_norm``, ``limit_norms`` follows each
        update in all layers but the last: those of hidden units.
        """

    def gradient(
        self,
        parameters: np.ndarray,
        rows: Rows,
        gradient: np.ndarray,
        step: int = 0,
        order: np.ndarray | None = None,
    ) -> Totals:
        """One batch without an update, with the dropout and the input noise of ``step``.

        The batch are the rows ``order`` (K,), int64, or all of them when None. They go through the
        scratch memory in blocks of as many rows as the executor was bound for, a multiple of 8, or
        all at once where that is enough; the gradients of the blocks are added up in their order.
        ``rows_to_bind`` says how many are best. Batch norm needs all rows at once.

        ``gradient`` (P,) becomes ∂(cost + penalty)/∂parameters, both divided by W as in
        training, with l1 · sign(w) (0 at 0) as the subgradient of the L1 penalty. It becomes zero
        where the sample weights sum to zero, and so do the cost and the penalty. ``parameters``
        (V,) stay, but for the running statistics: they become those of the batch.
        """


class Predictor(Protocol):
    """A plan bound to its parameters, for predictions at the least cost per call.

    It keeps no scratch memory, so that several threads may call it at once, and goes by what the
    parameters are when it is called.
    """

    def checked(
        self, x: object, apply_link: bool, paired: bool, n_threads: object
    ) -> np.ndarray | None:
        """Return the outputs, or the logits, (N, C) at x (N, I), which nobody has checked.

        Return None wherever a check might object: unless x is a plain array that can be read in
        place, its numbers, as ``real``, and those of the outputs are finite, and ``n_threads`` is
        a positive int, or None for as many as the work is worth. Of one output that is ``paired``
        there are two columns, 1 − p and p.
        """


@runtime_checkable
class Backend(Protocol):
    """Kernels that can be called alone, and whole stretches of training and prediction."""

    name: str

    def runs_as(self, precision: str, dtype: np.dtype) -> str:
        """Return at which precision products of a type are made where ``precision`` is asked for.

        It is "highest" where the backend has nothing that is faster, and for float64.
        Both are names in ``MATMUL_PRECISIONS``. With "medium", the operands of the products of
        dense layers x · W, dz · Wᵀ and xᵀ · dz are rounded to the nearest bfloat16, ties to even,
        and numbers below 2⁻¹²⁶ count as 0. With "high", each is split into two such numbers, and
        the product of the two small parts is left out. Sums are float32 in any case, and so is all
        else.
        """

    # -- kernels --------------------------------------------------------------------------------

    def dense_forward(self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        """out (B, O) = x (B, I) · w (I, O) + b (O,)."""

    def dense_backward_input(self, dz: np.ndarray, w: np.ndarray, out: np.ndarray) -> None:
        """out (B, I) = dz (B, O) · w (I, O)ᵀ."""

    def dense_backward_weights(
        self, x: np.ndarray, dz: np.ndarray, dw: np.ndarray, db: np.ndarray
    ) -> None:
        """dw (I, O) = x (B, I)ᵀ · dz (B, O); db (O,) = column sums of dz."""

    def activate(self, activation: int, z: np.ndarray, h: np.ndarray, dh_dz: np.ndarray) -> None:
        """h = f(z) and dh_dz = f'(z), all (B, O)."""

    def normalize_forward(
        self,
        normalization: int,
        n_groups: int,
        z: np.ndarray,
        sample_weight: np.ndarray | None,
        gain: np.ndarray,
        shift: np.ndarray,
        normalized: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        y: np.ndarray,
    ) -> None:
        """normalized (B, O) = (z − μ) · scale, scale = 1/√(σ² + 1e-5); y = gain ⊙ it + shift.

        ``normalization`` is any but "none". z and y are (B, O), gain and shift (O,). For batch norm
        μ and σ² are those of each column, its rows weighted by ``sample_weight`` (B,) if any, and
        mean and scale are (O,). For the others they are those of each of ``n_groups`` runs of
        O / n_groups units of a row, and mean and scale are (B, n_groups). σ² is divided by the
        count, or the sum of weights.
        """

    def normalize_backward(
        self,
        normalization: int,
        n_groups: int,
        dy: np.ndarray,
        sample_weight: np.ndarray | None,
        gain: np.ndarray,
        normalized: np.ndarray,
        scale: np.ndarray,
        dz: np.ndarray,
        dgain: np.ndarray,
        dshift: np.ndarray,
    ) -> None:
        """dz (B, O), dgain (O,), dshift (O,): the gradients of what dy (B, O) is ∂L/∂y of.

        With g = gain ⊙ dy and ⟨·⟩ the mean that made μ: dz = scale · (g − ⟨g⟩ − ẑ ⟨g ẑ⟩), dgain
        sums dy ⊙ ẑ and dshift dy over the rows; ẑ is ``normalized``, ``scale`` as it was returned.
        With weights, ⟨g⟩ in row r is w_r / Σw · Σ g, as g is weighted already.
        """

    def loss_and_gradient(
        self,
        loss: int,
        parameters: np.ndarray,
        logits: np.ndarray,
        target: np.ndarray,
        sample_weight: np.ndarray | None,
        values: np.ndarray,
        gradient: np.ndarray,
    ) -> None:
        """values (B,) = unweighted loss of each sample; gradient (B, C) = w_r · ∂loss_r/∂logits.

        ``target`` is (B, T): the class's number in one column, or real columns; ``parameters``
        (K,) float64 is what the loss depends on besides. The registry's row states both.
        """

    def link(self, loss: int, parameters: np.ndarray, logits: np.ndarray, out: np.ndarray) -> None:
        """out (B, C) = the loss's natural prediction, by the link in the registry's row."""

    def dropout_factors(
        self, threshold: int, seed: int, layer: int, step: int, out: np.ndarray
    ) -> None:
        """out (B, O) = 0 where dropped, else 1/keep with keep = 1 − threshold/65536.

        Element (row, col) is kept when its 16 bits are ≥ threshold. The bits are the half-word
        ``row % 8`` (word ``(row % 8) // 2``, low half first) of the Philox-4×32 block with 7
        rounds, counter ``(col, row // 8, step mod 2³², layer)`` and key ``(seed low, seed high)``
        (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
        """

    def standard_normals(self, stream: int, seed: int, step: int, out: np.ndarray) -> None:
        """out (B, O) = independent standard normal numbers, by Box and Muller (1958).

        Element (row, col) comes from words w = 2 (row % 4 // 2) and w + 1 of the Philox block (as
        for ``dropout_factors``) with counter ``(col, row // 4, step mod 2³², stream)``. Of each
        the upper 24 bits count, as fractions u and a in [0, 1): √(−2 ln(u + 2⁻²⁴)) · cos 2πa in
        even rows, sin 2πa in odd ones. No number is beyond √(48 ln 2) = 5.77, which one of 1.2e8
        of a true normal distribution is.
        """

    def limit_norms(self, w: np.ndarray, max_norm: float) -> None:
        """Scale each column of w (I, O) whose L2 norm is above ``max_norm`` down to it.

        w_ij ← w_ij · min(1, max_norm/‖w_j‖) (Srivastava et al. 2014, section 5.1).
        """

    def optimizer_update(
        self,
        settings: np.ndarray,
        update: np.void,
        parameters: np.ndarray,
        gradient: np.ndarray,
        moments: np.ndarray,
        slots: np.ndarray,
        groups: np.ndarray,
        weight_sum: float,
    ) -> None:
        """One update in place: parameters (P,), gradient (P,) of the cost, moments (M, P).

        ``settings`` () is of SETTINGS_DTYPE, ``update`` a record of UPDATE_DTYPE, ``slots`` are of
        SLOT_DTYPE and cover all entries, ``groups`` are of GROUP_DTYPE. In this order, with g the
        gradient, lr, l1, l2 and weight_decay multiplied by the factors of the entry's group, and
        steps 2, 3, 4 and 7 only where their number is not 0:

        1. g ← g + l2/weight_sum · w
        2. g ← min(max(g, −clip_value), clip_value)
        3. g ← min(1, clip_norm/(‖g‖ + 1e-6)) · g, with the L2 norm of all P entries, as
           ``torch.nn.utils.clip_grad_norm_`` does
        4. g ← g + gradient_noise · n (Neelakantan et al. 2015), n standard normal: entry p is
           element ((p % 64) // 16, 16 (p // 64) + p % 16) of ``standard_normals`` from the stream
           ``GRADIENT_NOISE_STREAM``
        5. w ← (1 − lr · weight_decay) · w, unless the optimiser has a trust ratio
        6. the optimiser's step, by the formula in the docstring of its class in
           ``fastmlp.optimizers``; a trust ratio is one slot's
        7. w ← sign(w) · max(|w| − lr · l1/weight_sum, 0), the proximal step of the L1 penalty,
           which gives exact zeros.

        So what is clipped is the gradient of all that is smooth in the objective, noise and
        decay are not.

        ``gradient`` may be overwritten.
        """

    def measure_information(
        self, measure: int, p: np.ndarray, q: np.ndarray | None, out: np.ndarray
    ) -> None:
        """out = information in nats of each row of p (B, K), by the code in ``MEASURES``.

        Probabilities p and q are finite and not negative, or NaN, which stays; 0 log 0 = 0.
        ``q`` (B, K) is the second distribution of measures that compare two, else None. ``out`` is
        (B, K) for measures ``per_outcome``, else (B,); it overlaps neither p nor q.
        """

    def perceptron_scores(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray, out: np.ndarray
    ) -> None:
        """out (B, K) = x (B, I) · w (K, I)ᵀ + b (K,), the same bits in every backend.

        A product x · w_k is sixteen sums, the j-th over the elements j, j + 16, …, each product
        rounded before it is added. Sums j and j + n are then joined for n = 8, 4, 2, 1.
        """

    def perceptron_epoch(
        self,
        x: np.ndarray,
        target: np.ndarray,
        rates: np.ndarray,
        order: np.ndarray,
        w: np.ndarray,
        b: np.ndarray,
    ) -> int:
        """Rosenblatt's rule over the rows ``order`` (M,) int64; return all units' mistakes.

        For each row r and unit k: o = 1 if x_r · w_k + b_k > 0 else 0, the product as in
        ``perceptron_scores``; where o differs from ``target`` (N, K), zeros and ones,
        w_k += s · x_r, each product rounded before it is added, and b_k += s, with
        s = rates_r · (target − o). Rows of rate 0 are passed over. x (N, I), rates (N,), w (K, I)
        and b (K,) are real; w and b change in place, the same bits in every backend.
        """

    # -- networks -------------------------------------------------------------------------------

    def bind(
        self, plan: Plan, settings: np.ndarray, dtype: np.dtype, n_rows: int, n_threads: int
    ) -> Executor:
        """Return what trains ``plan``, on batches of up to ``n_rows`` rows.

        Gradients may be of more rows. Made once a fit. ``settings`` () of SETTINGS_DTYPE says what
        is the same for all updates; it is copied.
        """

    def sample_losses(
        self, plan: Plan, logits: np.ndarray, target: np.ndarray, out: np.ndarray
    ) -> None:
        """out (B,) = the plan's loss of each sample, the user's own or not, for logits (B, C).

        ``target`` is (B, T). No weights, no penalties, the sum over outputs.
        """

    def predict(
        self,
        plan: Plan,
        parameters: np.ndarray,
        X: Inputs,
        rows: np.ndarray | None,
        out: np.ndarray,
        apply_link: bool,
        n_threads: int,
    ) -> None:
        """out (K, C) = the network at rows of X (N, I) (all when None), without dropout.

        Of k members it is the mean of their outputs, and a variance that of their mixture; without
        the link, out (K, k · C) has the logits of each.
        Batch norm takes the running statistics in ``parameters`` (V,).
        """

    def predictor(self, plan: Plan, parameters: np.ndarray) -> Predictor | None:
        """Return what predicts with ``parameters`` (V,) in small calls; None if nothing does."""
