# cython: boundscheck=False, wraparound=False
"""Binding of the C core: hands pointers over, releases the GIL, decides nothing.

Arrays come validated from ``compiled.py``: C-contiguous, of the table's real type. A 0-length
array's pointer is never read.

This file is longer than others because all its classes share one set of C declarations.
"""

from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stddef cimport size_t
from libc.string cimport memset
cimport cython
cimport numpy as cnp
from numpy.random cimport bitgen_t

from numpy import memmap
from numpy.ma import MaskedArray

from fastmlp.plan.parameters import aligned_zeros

cnp.import_array()

ctypedef fused real:
    float
    double

cdef extern from "fastmlp.h" nogil:
    enum:
        FASTMLP_CUSTOM
        FASTMLP_ACTIVATIONS, FASTMLP_LOSSES, FASTMLP_NORMALIZATIONS, FASTMLP_MEASURES, FASTMLP_OPTIMIZERS
        FASTMLP_HIGHEST, FASTMLP_HIGH, FASTMLP_MEDIUM
        FASTMLP_UINT8, FASTMLP_FLOAT32, FASTMLP_FLOAT64
        FASTMLP_DENSE, FASTMLP_CSR_INT32, FASTMLP_CSR_INT64
    ctypedef struct fastmlp_layer:
        int64_t fan_in
    ctypedef struct fastmlp_slot:
        int64_t kind
    ctypedef struct fastmlp_feature:
        int32_t kind
    ctypedef struct fastmlp_group:
        double learning_rate
    ctypedef struct fastmlp_settings:
        int64_t optimizer
    ctypedef struct fastmlp_update:
        int64_t step
    ctypedef struct fastmlp_loss:
        int32_t code
        int64_t n_parameters
        const double *parameters
    ctypedef struct fastmlp_plan:
        const fastmlp_layer *layers
        const fastmlp_slot *slots
        const fastmlp_group *groups
        int64_t n_layers, n_slots, n_weights, n_parameters, target_width
        int64_t n_inputs, n_members, n_scales, scale_offset, n_features
        const fastmlp_feature *features
        const double *bins
        fastmlp_loss loss
    ctypedef struct fastmlp_inputs:
        int32_t kind, type
        int64_t n_columns
        const void *values
        const void *columns
        const int64_t *starts
    ctypedef struct fastmlp_data:
        fastmlp_inputs inputs
        const void *target
        const void *sample_weight
    ctypedef struct fastmlp_totals:
        double cost, penalty
        int64_t n_samples
    ctypedef struct fastmlp_exchange:
        int64_t n_groups, way
        int64_t bytes[3]
    ctypedef struct fastmlp_kernels:
        const char *isa
        int32_t real_bytes, vector_bytes, needs_packed
        void (*block_size)(int64_t, int64_t, int64_t *, int64_t *) noexcept nogil
        int64_t (*rows_at_once)(const fastmlp_plan *, int64_t) noexcept nogil
        size_t (*dense_scratch)(int64_t, int64_t, int64_t) noexcept nogil
        void (*dense_forward)(int64_t, int64_t, int64_t, const void *, const void *, const void *, void *, void *) noexcept nogil
        void (*dense_backward_input)(int64_t, int64_t, int64_t, const void *, const void *, void *, void *) noexcept nogil
        void (*dense_backward_weights)(int64_t, int64_t, int64_t, const void *, const void *, void *, void *, void *) noexcept nogil
        void (*activate)(int32_t, int64_t, const void *, void *, void *) noexcept nogil
        void (*normalize_forward)(int32_t, int64_t, int64_t, int64_t, const void *, const void *, const void *, const void *, void *, void *, void *, void *) noexcept nogil
        void (*normalize_backward)(int32_t, int64_t, int64_t, int64_t, const void *, const void *, const void *, const void *, const void *, void *, void *) noexcept nogil
        void (*loss_and_gradient)(const fastmlp_loss *, int64_t, int64_t, const void *, const void *, const void *, void *, void *) noexcept nogil
        void (*link)(const fastmlp_loss *, int64_t, int64_t, const void *, void *) noexcept nogil
        void (*measure_information)(int32_t, int64_t, int64_t, const void *, const void *, void *) noexcept nogil
        void (*apply_dropout)(int32_t, uint64_t, int64_t, int64_t, int64_t, int64_t, void *) noexcept nogil
        void (*standard_normals)(uint32_t, uint64_t, int64_t, int64_t, int64_t, void *) noexcept nogil
        void (*cosine_and_sine)(int64_t, const void *, void *, void *) noexcept nogil
        void (*limit_norms)(int64_t, int64_t, double, void *) noexcept nogil
        const char *(*operation_name)(int32_t, int64_t) noexcept nogil
        int64_t (*optimizer_moments)(int64_t) noexcept nogil
        void (*optimizer_update)(const fastmlp_settings *, const fastmlp_update *, const fastmlp_plan *, double, void *, const void *, void *) noexcept nogil
        void (*perceptron_scores)(int64_t, int64_t, int64_t, const void *, const void *, const void *, void *) noexcept nogil
        int64_t (*perceptron_epoch)(int64_t, int64_t, int64_t, const int64_t *, const void *, const void *, const void *, void *, void *) noexcept nogil
        size_t (*workspace_bytes)(const fastmlp_plan *, const fastmlp_settings *, int64_t, int64_t) noexcept nogil
        size_t (*packed_bytes)(const fastmlp_plan *) noexcept nogil
        void (*pack_weights)(const fastmlp_plan *, const void *, void *) noexcept nogil
        size_t (*inference_bytes)(const fastmlp_plan *, int64_t) noexcept nogil
        fastmlp_exchange (*exchange)(const fastmlp_plan *, const fastmlp_settings *, int64_t, int64_t) noexcept nogil
        fastmlp_totals (*train_batches)(const fastmlp_plan *, const fastmlp_settings *, const fastmlp_update *, void *, void *, const fastmlp_data *, const int64_t *, int64_t, int64_t, int64_t, void *, int64_t, int32_t) noexcept nogil
        fastmlp_totals (*objective_and_gradient)(const fastmlp_plan *, const fastmlp_settings *, int64_t, void *, const fastmlp_data *, const int64_t *, int64_t, int64_t, void *, void *, int64_t, int32_t) noexcept nogil
        int64_t (*threads_for)(const fastmlp_plan *, int64_t) noexcept nogil
        int32_t (*predict)(const fastmlp_plan *, const void *, void *, const fastmlp_data *, const int64_t *, int64_t, void *, int32_t, void *, int64_t, int64_t) noexcept nogil
        double (*fma_rounds)(int64_t, double *) noexcept nogil
        size_t (*microkernel_scratch)() noexcept nogil
        double (*microkernel_rounds)(int64_t, void *) noexcept nogil
        void (*barrier_rounds)(int64_t, int64_t) noexcept nogil
    const fastmlp_kernels *fastmlp_find_kernels(const char *, int32_t, int32_t)
    const char *fastmlp_available_isa(int)

cdef extern from "base/caches.h" nogil:
    int64_t FASTMLP_LEAST_L2
    int64_t FASTMLP_MOST_L2
    int64_t fastmlp_l2_bytes()
    void fastmlp_set_l2_bytes(int64_t bytes)

cdef extern from "random/shuffle.h" nogil:
    void fastmlp_shuffle(uint32_t (*next)(void *) noexcept nogil, void *state, int64_t n, int64_t *order)

cdef extern from "base/memory.h" nogil:
    void *fastmlp_aligned_memory(size_t)
    void fastmlp_free_aligned(void *)

cdef extern from *:
    const char *FASTMLP_COMPILER

COMPILER = (<bytes>FASTMLP_COMPILER).decode()


def codes_of(int32_t operations):
    """Return the codes of operations by name: their places in one of the core's tables."""
    cdef const fastmlp_kernels *table = fastmlp_find_kernels(b"", 4, FASTMLP_HIGHEST)
    codes, code = {}, 0
    while table.operation_name(operations, code) is not NULL:
        codes[(<bytes>table.operation_name(operations, code)).decode()] = code
        code += 1
    return codes


OPERATION_CODES = {
    "activations": codes_of(FASTMLP_ACTIVATIONS),
    "losses": codes_of(FASTMLP_LOSSES),
    "measures": codes_of(FASTMLP_MEASURES),
    "normalizations": codes_of(FASTMLP_NORMALIZATIONS),
    "optimizers": codes_of(FASTMLP_OPTIMIZERS),
}

CUSTOM = FASTMLP_CUSTOM

PRECISIONS = {"highest": FASTMLP_HIGHEST, "high": FASTMLP_HIGH, "medium": FASTMLP_MEDIUM}

STRUCT_BYTES = {
    "layer": sizeof(fastmlp_layer),
    "settings": sizeof(fastmlp_settings),
    "slot": sizeof(fastmlp_slot),
    "group": sizeof(fastmlp_group),
    "feature": sizeof(fastmlp_feature),
    "update": sizeof(fastmlp_update),
}

def available_isas():
    """Names of the instruction sets built in that this machine runs, slowest first."""
    names, i = [], 0
    while fastmlp_available_isa(i) is not NULL:
        names.append((<bytes>fastmlp_available_isa(i)).decode())
        i += 1
    return names


ctypedef void *address


cdef inline address pointer(cnp.ndarray array):
    return NULL if array is None else cnp.PyArray_DATA(array)


cdef inline int32_t x_type_of(cnp.ndarray array) except -1:
    """The code of what X holds."""
    cdef int number = cnp.PyArray_TYPE(array)
    if number == cnp.NPY_FLOAT32:
        return FASTMLP_FLOAT32
    if number == cnp.NPY_FLOAT64:
        return FASTMLP_FLOAT64
    if number == cnp.NPY_UINT8:
        return FASTMLP_UINT8
    raise TypeError(f"the core reads no {array.dtype}")


cdef inline fastmlp_inputs dense_inputs(cnp.ndarray x, int32_t x_type) noexcept:
    return fastmlp_inputs(kind=FASTMLP_DENSE, type=x_type, n_columns=x.shape[1], values=pointer(x),
                          columns=NULL, starts=NULL)


cdef fastmlp_inputs inputs_of(x) except *:
    """What a row of x (N, I) is, an array or SparseRows; the caller keeps it alive."""
    if isinstance(x, cnp.ndarray):
        return dense_inputs(x, x_type_of(x))
    cdef cnp.ndarray values = x.values, columns = x.columns, starts = x.starts
    cdef int32_t kind = FASTMLP_CSR_INT32 if columns.itemsize == 4 else FASTMLP_CSR_INT64
    return fastmlp_inputs(kind=kind, type=x_type_of(values), n_columns=x.n_columns, values=pointer(values),
                          columns=pointer(columns), starts=<const int64_t *>pointer(starts))


cdef inline fastmlp_loss bound_loss(int32_t code, cnp.ndarray parameters):
    """A loss whose parameters (K,) float64 the caller keeps alive."""
    return fastmlp_loss(code=code, n_parameters=parameters.shape[0],
                        parameters=<const double *>pointer(parameters))


def l2_bytes():
    """Size of the level-2 cache by which products are blocked."""
    return fastmlp_l2_bytes()


def set_l2_bytes(int64_t n_bytes):
    """Take another size for it, a power of two from 256 KiB to 2 MiB; 0: what the machine says."""
    if n_bytes != 0 and not (FASTMLP_LEAST_L2 <= n_bytes <= FASTMLP_MOST_L2 and n_bytes & (n_bytes - 1) == 0):
        raise ValueError(f"no size of the cache that products are blocked by: {n_bytes}")
    fastmlp_set_l2_bytes(n_bytes)


def shuffle(bit_generator, int64_t[::1] order):
    """Shuffle order (K,) as ``RandomState(bit_generator).shuffle`` does."""
    cdef bitgen_t *bits = <bitgen_t *>PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")
    if len(order) > 1:
        with bit_generator.lock, nogil:
            fastmlp_shuffle(bits.next_uint32, bits.state, order.shape[0], &order[0])


cdef const fastmlp_kernels *find_kernels(isa, int real_bytes, precision) except? NULL:
    cdef bytes name = b"" if isa is None else isa.encode()
    return fastmlp_find_kernels(name, real_bytes, PRECISIONS[precision])


def has_kernels(isa, int real_bytes, precision):
    """Whether products of a precision have kernels of their own on this machine."""
    return find_kernels(isa, real_bytes, precision) is not NULL


cdef class Kernels:
    """The kernels of one instruction set, one real type and one precision of products."""

    cdef const fastmlp_kernels *table
    cdef cnp.ndarray measured  # memory of microkernel_rounds

    def __cinit__(self, isa, int real_bytes, precision="highest"):
        self.table = find_kernels(isa, real_bytes, precision)
        if self.table is NULL:
            raise ValueError(f"no kernels for isa={isa!r} here; there are {available_isas()}")

    @property
    def isa(self):
        return (<bytes>self.table.isa).decode()

    def block_size(self, int64_t rows, int64_t depth):
        """Rows and depth of the blocks of a packed left operand."""
        cdef int64_t block_rows, block_depth
        self.table.block_size(rows, depth, &block_rows, &block_depth)
        return block_rows, block_depth

    cdef void *dense_scratch(self, int64_t rows, int64_t fan_in, int64_t fan_out) except NULL:
        """Return memory, which the caller frees, for one of the three products of a layer."""
        cdef void *scratch = fastmlp_aligned_memory(self.table.dense_scratch(rows, fan_in, fan_out))
        if scratch is NULL:
            raise MemoryError
        return scratch

    def dense_forward(self, cnp.ndarray x, cnp.ndarray w, cnp.ndarray b, cnp.ndarray out):
        cdef int64_t rows = x.shape[0], fan_in = w.shape[0], fan_out = w.shape[1]
        cdef address xp = pointer(x), wp = pointer(w), bp = pointer(b), op = pointer(out)
        cdef address scratch = self.dense_scratch(rows, fan_in, fan_out)
        with nogil:
            self.table.dense_forward(rows, fan_in, fan_out, xp, wp, bp, op, scratch)
            fastmlp_free_aligned(scratch)

    def dense_backward_input(self, cnp.ndarray dz, cnp.ndarray wt, cnp.ndarray out):
        cdef int64_t rows = dz.shape[0], fan_in = wt.shape[1], fan_out = wt.shape[0]
        cdef address dp = pointer(dz), wp = pointer(wt), op = pointer(out)
        cdef address scratch = self.dense_scratch(rows, fan_in, fan_out)
        with nogil:
            self.table.dense_backward_input(rows, fan_in, fan_out, dp, wp, op, scratch)
            fastmlp_free_aligned(scratch)

    def dense_backward_weights(self, cnp.ndarray x, cnp.ndarray dz, cnp.ndarray dw, cnp.ndarray db):
        cdef int64_t rows = x.shape[0], fan_in = x.shape[1], fan_out = dz.shape[1]
        cdef address xp = pointer(x), zp = pointer(dz), wp = pointer(dw), bp = pointer(db)
        cdef address scratch = self.dense_scratch(rows, fan_in, fan_out)
        with nogil:
            self.table.dense_backward_weights(rows, fan_in, fan_out, xp, zp, wp, bp, scratch)
            fastmlp_free_aligned(scratch)

    def activate(self, int32_t activation, cnp.ndarray z, cnp.ndarray h, cnp.ndarray dh_dz):
        cdef int64_t n = z.size
        cdef address zp = pointer(z), hp = pointer(h), dp = pointer(dh_dz)
        with nogil:
            self.table.activate(activation, n, zp, hp, dp)

    def normalize_forward(self, int32_t normalization, int64_t n_groups, cnp.ndarray z, cnp.ndarray weight,
                          cnp.ndarray gain, cnp.ndarray shift, cnp.ndarray normalized, cnp.ndarray mean,
                          cnp.ndarray scale, cnp.ndarray y):
        cdef int64_t rows = z.shape[0], columns = z.shape[1]
        cdef address zp = pointer(z), wp = pointer(weight), gp = pointer(gain), bp = pointer(shift)
        cdef address np = pointer(normalized), mp = pointer(mean), sp = pointer(scale), yp = pointer(y)
        with nogil:
            self.table.normalize_forward(normalization, n_groups, rows, columns, zp, wp, gp, bp, np, mp, sp, yp)

    def normalize_backward(self, int32_t normalization, int64_t n_groups, cnp.ndarray dy, cnp.ndarray weight,
                           cnp.ndarray gain, cnp.ndarray normalized, cnp.ndarray scale, cnp.ndarray dz,
                           cnp.ndarray dgain_dshift):
        cdef int64_t rows = dy.shape[0], columns = dy.shape[1]
        cdef address yp = pointer(dy), wp = pointer(weight), gp = pointer(gain), np = pointer(normalized)
        cdef address sp = pointer(scale), zp = pointer(dz), dp = pointer(dgain_dshift)
        with nogil:
            self.table.normalize_backward(normalization, n_groups, rows, columns, yp, wp, gp, np, sp, zp, dp)

    def loss_and_gradient(self, int32_t loss, cnp.ndarray parameters, cnp.ndarray logits,
                          cnp.ndarray target, cnp.ndarray sample_weight, cnp.ndarray values,
                          cnp.ndarray gradient):
        cdef fastmlp_loss bound = bound_loss(loss, parameters)
        cdef int64_t rows = logits.shape[0], outputs = logits.shape[1]
        cdef address lp = pointer(logits), tp = pointer(target), sp = pointer(sample_weight)
        cdef address vp = pointer(values), gp = pointer(gradient)
        with nogil:
            self.table.loss_and_gradient(&bound, rows, outputs, lp, tp, sp, vp, gp)

    def link(self, int32_t loss, cnp.ndarray parameters, cnp.ndarray logits, cnp.ndarray out):
        cdef fastmlp_loss bound = bound_loss(loss, parameters)
        cdef int64_t rows = logits.shape[0], outputs = logits.shape[1]
        cdef address lp = pointer(logits), op = pointer(out)
        with nogil:
            self.table.link(&bound, rows, outputs, lp, op)

    def measure_information(self, int32_t measure, cnp.ndarray p, cnp.ndarray q, cnp.ndarray out):
        cdef int64_t rows = p.shape[0], outcomes = p.shape[1]
        cdef address pp = pointer(p), qp = pointer(q), op = pointer(out)
        with nogil:
            self.table.measure_information(measure, rows, outcomes, pp, qp, op)

    def perceptron_scores(self, cnp.ndarray x, cnp.ndarray w, cnp.ndarray b, cnp.ndarray out):
        cdef int64_t rows = x.shape[0], fan_in = w.shape[1], units = w.shape[0]
        cdef address xp = pointer(x), wp = pointer(w), bp = pointer(b), op = pointer(out)
        with nogil:
            self.table.perceptron_scores(rows, fan_in, units, xp, wp, bp, op)

    def perceptron_epoch(self, cnp.ndarray x, cnp.ndarray target, cnp.ndarray rates,
                         cnp.ndarray order, cnp.ndarray w, cnp.ndarray b):
        """Return the number of mistakes."""
        cdef int64_t n_order = order.shape[0], fan_in = w.shape[1], units = w.shape[0], mistakes
        cdef address xp = pointer(x), tp = pointer(target), rp = pointer(rates)
        cdef address op = pointer(order), wp = pointer(w), bp = pointer(b)
        with nogil:
            mistakes = self.table.perceptron_epoch(
                n_order, fan_in, units, <const int64_t *>op, xp, tp, rp, wp, bp)
        return mistakes

    def apply_dropout(self, int32_t threshold, uint64_t seed, int64_t layer, int64_t step,
                      cnp.ndarray out):
        cdef int64_t rows = out.shape[0], columns = out.shape[1]
        cdef address op = pointer(out)
        with nogil:
            self.table.apply_dropout(threshold, seed, layer, step, rows, columns, op)

    def standard_normals(self, uint32_t stream, uint64_t seed, int64_t step, cnp.ndarray out):
        cdef int64_t rows = out.shape[0], columns = out.shape[1]
        cdef address op = pointer(out)
        with nogil:
            self.table.standard_normals(stream, seed, step, rows, columns, op)

    def cosine_and_sine(self, cnp.ndarray turns, cnp.ndarray cosine, cnp.ndarray sine):
        cdef int64_t n = turns.size
        cdef address tp = pointer(turns), cp = pointer(cosine), sp = pointer(sine)
        with nogil:
            self.table.cosine_and_sine(n, tp, cp, sp)

    def limit_norms(self, cnp.ndarray w, double max_norm):
        cdef int64_t fan_in = w.shape[0], fan_out = w.shape[1]
        cdef address wp = pointer(w)
        with nogil:
            self.table.limit_norms(fan_in, fan_out, max_norm, wp)

    def optimizer_moments(self, int64_t optimizer):
        """Return how many vectors an optimiser remembers."""
        return self.table.optimizer_moments(optimizer)

    def optimizer_update(self, cnp.ndarray settings, cnp.ndarray update, cnp.ndarray parameters,
                         cnp.ndarray gradient, cnp.ndarray moments, cnp.ndarray slots, cnp.ndarray groups,
                         double weight_sum):
        cdef fastmlp_plan plan  # of which only these are read
        plan.slots, plan.n_slots = <const fastmlp_slot *>pointer(slots), slots.shape[0]
        plan.groups, plan.n_parameters = <const fastmlp_group *>pointer(groups), parameters.size
        cdef address sp = pointer(settings), up = pointer(update), pp = pointer(parameters)
        cdef address gp = pointer(gradient), mp = pointer(moments)
        with nogil:
            self.table.optimizer_update(<const fastmlp_settings *>sp, <const fastmlp_update *>up, &plan,
                                        weight_sum, pp, gp, mp)

    def fma_rounds(self, int64_t iterations):
        """Do independent register FMAs; return the number of floating-point operations."""
        cdef double sink = 0, flops
        with nogil:
            flops = self.table.fma_rounds(iterations, &sink)
        return flops

    def microkernel_rounds(self, int64_t iterations):
        """Multiply packed operands; return the number of floating-point operations.

        The first call makes the memory for it and touches it all.
        """
        cdef double flops
        if self.measured is None:
            self.measured = aligned_zeros(self.table.microkernel_scratch(), "u1")
            self.microkernel_rounds(1)
        cdef address scratch = pointer(self.measured)
        with nogil:
            flops = self.table.microkernel_rounds(iterations, scratch)
        return flops

    def barrier_rounds(self, int64_t n_threads, int64_t rounds):
        """Start a team, have it meet ``rounds`` times, and end it."""
        with nogil:
            self.table.barrier_rounds(n_threads, rounds)


cdef class Network:
    """A plan bound to the kernels of one real type."""

    cdef const fastmlp_kernels *table
    cdef fastmlp_plan plan
    cdef cnp.ndarray layers, slots, groups, loss_parameters, features, bins  # keep the memory that the plan points to

    def __cinit__(self, Kernels kernels, cnp.ndarray layers, cnp.ndarray slots, cnp.ndarray groups, int32_t loss,
                  cnp.ndarray loss_parameters, int64_t target_width, int64_t n_weights, int64_t n_parameters,
                  int64_t n_inputs, int64_t n_members, int64_t n_scales, int64_t scale_offset, cnp.ndarray features,
                  cnp.ndarray bins):
        self.table = kernels.table
        self.layers = layers
        self.slots = slots
        self.groups = groups
        self.loss_parameters = loss_parameters
        self.features = features
        self.bins = bins
        self.plan = fastmlp_plan(
            layers=<const fastmlp_layer *>pointer(layers), n_layers=layers.shape[0],
            slots=<const fastmlp_slot *>pointer(slots), n_slots=slots.shape[0],
            groups=<const fastmlp_group *>pointer(groups),
            n_weights=n_weights, n_parameters=n_parameters, target_width=target_width,
            n_inputs=n_inputs, n_members=n_members, n_scales=n_scales, scale_offset=scale_offset,
            features=<const fastmlp_feature *>pointer(features), n_features=features.shape[0],
            bins=<const double *>pointer(bins),
            loss=bound_loss(loss, loss_parameters))

    def packed_bytes(self):
        """Return the size of the packed weights."""
        return self.table.packed_bytes(&self.plan)

    def pack_weights(self, cnp.ndarray parameters, cnp.ndarray packed):
        cdef address pp = pointer(parameters), kp = pointer(packed)
        with nogil:
            self.table.pack_weights(&self.plan, pp, kp)

    def rows_at_once(self, int64_t n):
        """How many of n rows of a batch a thread takes through the network at once."""
        return self.table.rows_at_once(&self.plan, n)


cdef class Trainer:
    """A network with the settings of a fit, and the scratch for batches of n_rows rows on n_threads threads."""

    cdef Network network
    cdef cnp.ndarray settings, workspace
    cdef int64_t n_threads
    cdef bint measure_pace

    def __cinit__(self, Network network, cnp.ndarray settings, int64_t n_threads, bint measure_pace):
        self.network = network
        self.settings = settings
        self.n_threads = n_threads
        self.measure_pace = measure_pace

    def workspace_bytes(self, int64_t n_rows):
        """Return the scratch that training on batches of n_rows rows needs."""
        return self.network.table.workspace_bytes(
            &self.network.plan, <const fastmlp_settings *>pointer(self.settings), n_rows, self.n_threads)

    def exchange(self, int64_t n_rows):
        """Return the number of groups of batches of n_rows rows, the threads' way, and the bytes of each way."""
        cdef fastmlp_exchange e = self.network.table.exchange(
            &self.network.plan, <const fastmlp_settings *>pointer(self.settings), n_rows, self.n_threads)
        return e.n_groups, e.way, (e.bytes[0], e.bytes[1], e.bytes[2])

    def use(self, cnp.ndarray workspace):
        """Take zeroed memory of workspace_bytes."""
        self.workspace = workspace

    def train(self, cnp.ndarray parameters, cnp.ndarray moments, x, cnp.ndarray target, cnp.ndarray sample_weight,
              cnp.ndarray order, int64_t batch_size, cnp.ndarray updates):
        cdef fastmlp_totals totals
        cdef fastmlp_data data = fastmlp_data(
            inputs=inputs_of(x), target=pointer(target), sample_weight=pointer(sample_weight))
        cdef address sp = pointer(self.settings), up = pointer(updates), pp = pointer(parameters)
        cdef address mp = pointer(moments), op = pointer(order), wp = pointer(self.workspace)
        cdef int64_t n_orders = order.shape[0] if order.ndim == 2 else 1, n_order = order.shape[order.ndim - 1]
        with nogil:
            totals = self.network.table.train_batches(
                &self.network.plan, <const fastmlp_settings *>sp, <const fastmlp_update *>up, pp, mp, &data,
                <const int64_t *>op, n_orders, n_order, batch_size, wp, self.n_threads, self.measure_pace)
        return totals.cost, totals.penalty, totals.n_samples

    def gradient(self, cnp.ndarray parameters, x, cnp.ndarray target, cnp.ndarray sample_weight,
                 cnp.ndarray gradient, int64_t step, cnp.ndarray order, int64_t most_rows):
        cdef fastmlp_totals totals
        cdef fastmlp_data data = fastmlp_data(
            inputs=inputs_of(x), target=pointer(target), sample_weight=pointer(sample_weight))
        cdef address sp = pointer(self.settings), pp = pointer(parameters), gp = pointer(gradient)
        cdef address wp = pointer(self.workspace), op = pointer(order)
        cdef int64_t n_rows = target.shape[0] if order is None else order.shape[0]
        with nogil:
            totals = self.network.table.objective_and_gradient(
                &self.network.plan, <const fastmlp_settings *>sp, step, pp, &data, <const int64_t *>op, n_rows,
                most_rows, gp, wp, self.n_threads, not self.measure_pace)
        return totals.cost, totals.penalty, totals.n_samples


cdef void pair_columns(real *pairs, Py_ssize_t n) noexcept nogil:
    """From p (n) in the second half of ``pairs`` (n, 2) to the rows (1 - p, p)."""
    cdef Py_ssize_t i
    cdef real p
    for i in range(n):
        p = pairs[n + i]
        pairs[2 * i] = 1 - p
        pairs[2 * i + 1] = p


cdef inline cnp.ndarray plain_rows(x, int64_t n_columns):
    """Return x (N, I) if it can be read as it is, else None."""
    cdef cnp.ndarray rows = <cnp.ndarray>x
    if (rows.ndim != 2 or rows.shape[1] != n_columns or rows.shape[0] == 0
            or not cnp.PyArray_IS_C_CONTIGUOUS(rows) or not cnp.PyArray_ISNOTSWAPPED(rows)
            or not cnp.PyArray_ISALIGNED(rows)
            or cnp.PyArray_TYPE(rows) not in (cnp.NPY_FLOAT32, cnp.NPY_FLOAT64, cnp.NPY_UINT8)):
        return None
    return rows


cdef void skip_rows(fastmlp_inputs *x, int64_t n) noexcept nogil:
    """Let x begin n rows later."""
    cdef int64_t number_bytes = 1 if x.type == FASTMLP_UINT8 else 4 if x.type == FASTMLP_FLOAT32 else 8
    if x.kind == FASTMLP_DENSE:
        x.values = <const char *>x.values + n * x.n_columns * number_bytes
    else:
        x.starts += n


@cython.final
cdef class Predictor:
    """A network bound to its parameters, for calls that cost little more than the arithmetic.

    Holds no scratch memory, so that several threads may call it at once. Without ``packed``, which
    would be a copy, it follows what is written to the parameters.
    """

    cdef Network network
    cdef cnp.ndarray parameters, packed
    cdef int64_t n_inputs, n_outputs, rows_at_once, rows_of_call, most_dense_rows
    cdef int real_type
    cdef object default_threads

    def __cinit__(self, Network network, cnp.ndarray parameters, cnp.ndarray packed, int64_t n_inputs,
                  int64_t n_outputs, int64_t rows_at_once, int64_t rows_of_call, int64_t most_dense_rows,
                  default_threads):
        self.network = network
        self.parameters = parameters
        self.packed = packed
        self.n_inputs = n_inputs
        self.n_outputs = n_outputs
        self.rows_at_once = rows_at_once
        self.rows_of_call = rows_of_call
        self.most_dense_rows = most_dense_rows
        self.default_threads = default_threads
        self.real_type = cnp.PyArray_TYPE(parameters)

    def __call__(self, x, bint paired, n_threads):
        """Return the outputs (N, C) at x (N, I), whatever its numbers are; None if x must be converted first.

        Of one output that is paired there are two columns, 1 - p and p. n_threads is a number or None.
        """
        if not isinstance(x, cnp.ndarray):
            return None
        if not cnp.PyArray_CheckExact(x) and isinstance(x, MaskedArray):  # which may have to be refused
            return None
        cdef cnp.ndarray rows = plain_rows(x, self.n_inputs), out
        if rows is None:
            return None
        out, _ = self._outputs(dense_inputs(rows, x_type_of(rows)), rows.shape[0], True, paired, n_threads)
        return out

    def at_sparse(self, x, bint paired, n_threads):
        """Return the outputs (N, C) at SparseRows x (N, I) that have been checked."""
        return self._outputs(inputs_of(x), len(x), True, paired, n_threads)[0]

    def checked(self, x, bint apply_link, bint paired, n_threads):
        """Return the outputs, or the logits, (N, C) at x (N, I), or None wherever a check might object.

        That is also where a number of x, or of the outputs, is not finite.
        """
        cdef int32_t not_finite
        cdef cnp.ndarray rows, out
        if not (cnp.PyArray_CheckExact(x) or type(x) is memmap):
            return None
        if not (n_threads is None or (type(n_threads) is int and 0 < n_threads < 1 << 31)):
            return None
        rows = plain_rows(x, self.n_inputs)
        if rows is None:
            return None
        out, not_finite = self._outputs(dense_inputs(rows, x_type_of(rows)), rows.shape[0], apply_link, paired,
                                        n_threads)
        return None if not_finite else out

    def fill(self, x, cnp.ndarray rows, cnp.ndarray out, bint apply_link, int64_t n_threads, bint all_threads):
        """Set out (K, C), or (K, members · C), to the outputs or the logits at x[rows] or x, which is checked."""
        cdef int64_t n = out.shape[0], team = n_threads if all_threads else self._team(n, n_threads)
        self._run(inputs_of(x), <const int64_t *>pointer(rows), n, <char *>pointer(out),
                  out.shape[1] * out.itemsize, apply_link, team)

    cdef tuple _outputs(self, fastmlp_inputs inputs, int64_t n, bint apply_link, bint paired, n_threads):
        """Return the outputs (n, C) at inputs that have been checked, and which numbers are not finite."""
        cdef int64_t team = self._team(n, n_threads)
        cdef cnp.npy_intp shape[2]
        shape[0] = n
        shape[1] = 2 if paired else self.n_outputs
        cdef cnp.ndarray out = cnp.PyArray_EMPTY(2, shape, self.real_type, 0)
        cdef char *first = <char *>pointer(out)
        cdef int64_t row_bytes = self.n_outputs * self.network.table.real_bytes
        cdef int32_t not_finite = self._run(inputs, NULL, n, first + n * row_bytes if paired else first, row_bytes,
                                            apply_link, team)
        if paired and self.network.table.real_bytes == 4:
            pair_columns(<float *>first, n)
        elif paired:
            pair_columns(<double *>first, n)
        return out, not_finite

    cdef int64_t _team(self, int64_t n, n_threads) except -1:
        """Return how many threads n rows are worth, of those that may be."""
        cdef int64_t worth = min(n, self.network.table.threads_for(&self.network.plan, n))
        if worth == 1:
            return 1
        return min(worth, <int64_t>(self.default_threads() if n_threads is None else n_threads))

    cdef int32_t _run(self, fastmlp_inputs inputs, const int64_t *rows, int64_t n, char *out, int64_t row_bytes,
                      bint apply_link, int64_t n_threads) except -1:
        """Write the outputs of n rows; return which numbers are not finite. Ctrl-C is seen between calls."""
        cdef const fastmlp_kernels *table = self.network.table
        cdef fastmlp_data data = fastmlp_data(inputs=inputs, target=NULL, sample_weight=NULL)
        cdef int64_t scratch_rows = self._scratch_rows(inputs.kind, n, n_threads), first = 0, part
        cdef address parameters = pointer(self.parameters), packed = pointer(self.packed), own = NULL
        cdef address scratch = fastmlp_aligned_memory(table.inference_bytes(&self.network.plan, scratch_rows))
        cdef int32_t not_finite = 0
        try:
            if scratch is NULL:
                raise MemoryError
            if packed is NULL and (table.needs_packed or n >= self.rows_at_once):
                packed = own = self._packed_now()
            while first < n:
                part = min(n - first, self.rows_of(n_threads))
                with nogil:
                    not_finite |= table.predict(&self.network.plan, parameters, packed, &data, rows, part, out,
                                                apply_link, scratch, scratch_rows, n_threads)
                first += part
                if first < n:
                    PyErr_CheckSignals()
                    out += part * row_bytes
                    if rows is NULL:
                        skip_rows(&data.inputs, part)
                    else:
                        rows += part
        finally:
            fastmlp_free_aligned(scratch)
            fastmlp_free_aligned(own)
        return not_finite

    cpdef int64_t rows_of(self, int64_t n_threads) noexcept:
        """Return the most rows that a team takes through the network between two looks for Ctrl-C."""
        return self.rows_of_call * max(1, n_threads)

    cdef int64_t _scratch_rows(self, int32_t kind, int64_t n, int64_t n_threads) noexcept:
        """Return how many rows all threads carry through the network at once."""
        cdef int64_t wanted = min(n, self.rows_at_once * n_threads)
        return wanted if kind == FASTMLP_DENSE else min(wanted, max(n_threads, self.most_dense_rows))

    cdef address _packed_now(self) except NULL:
        """Return a packed copy of the parameters as they are now; the caller frees it."""
        cdef const fastmlp_kernels *table = self.network.table
        cdef size_t n_bytes = table.packed_bytes(&self.network.plan)
        cdef address parameters = pointer(self.parameters), packed = fastmlp_aligned_memory(n_bytes)
        if packed is NULL:
            raise MemoryError
        with nogil:
            memset(packed, 0, n_bytes)
            table.pack_weights(&self.network.plan, parameters, packed)
        return packed
