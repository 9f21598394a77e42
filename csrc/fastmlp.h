/* fastmlp: the contract between the C core and its caller.
 *
 * Legend, used everywhere
 *   N samples · B rows of a mini-batch · I/O fan-in/fan-out of a layer · C outputs of the network
 *   T columns of the target · L layers · P trained parameters · V all values of the flat vector · M moments of the optimiser.
 *   `real` is float or double. Matrices are row-major; `ld` is the distance between rows, in elements.
 *
 * The core allocates nothing, raises nothing and prints nothing. The caller has validated all
 * input and hands over a workspace of the size that `workspace_bytes` states.
 *
 * Determinism: every sum runs in one order that depends on shapes only, never on the number of
 * threads. Precision: products and element-wise work in `real` with FMA where the CPU has it;
 * sums of losses and penalties in double. No fast-math: NaN and Inf travel.
 *
 * Layouts are repeated in plan/records.py and the order of operations in registry.py; tests hold them against
 * each other.
 */
#ifndef FASTMLP_H
#define FASTMLP_H

#include <stddef.h>
#include <stdint.h>

/* Code of an activation or loss that the caller brings; see fastmlp_layer and fastmlp_loss. */
enum { FASTMLP_CUSTOM = -1 };
/* The tables of operations. An operation's code is its place in its table, which also has its name. */
enum {
    FASTMLP_ACTIVATIONS = 0,
    FASTMLP_LOSSES = 1,
    FASTMLP_NORMALIZATIONS = 2,
    FASTMLP_MEASURES = 3,
    FASTMLP_OPTIMIZERS = 4
};
/* Codes of normalisations, which are more than one function each. */
enum {
    FASTMLP_NO_NORM = 0,
    FASTMLP_BATCH_NORM = 1,
    FASTMLP_LAYER_NORM = 2,
    FASTMLP_INSTANCE_NORM = 3,
    FASTMLP_GROUP_NORM = 4
};
/* What operands of products are rounded to: not at all, to the sum of two bfloat16 numbers, to one. */
enum { FASTMLP_HIGHEST = 0, FASTMLP_HIGH = 1, FASTMLP_MEDIUM = 2 };
enum { FASTMLP_UINT8 = 0, FASTMLP_FLOAT32 = 1, FASTMLP_FLOAT64 = 2 };
/* What a row of X is: all of its numbers, or compressed sparse rows with columns of one of two types. */
enum { FASTMLP_DENSE = 0, FASTMLP_CSR_INT32 = 1, FASTMLP_CSR_INT64 = 2 };
/* Where predict met numbers that are not finite; it returns their sum. */
enum { FASTMLP_INPUTS = 1, FASTMLP_OUTPUTS = 2 };
/* Last counter word of the random bits of noise; that of dropout is the layer's number. */
#define FASTMLP_INPUT_NOISE_STREAM 0x80000000u
#define FASTMLP_GRADIENT_NOISE_STREAM 0x80000001u

/* One dense layer; mirrors LAYER_DTYPE. */
typedef struct {
    int64_t fan_in, fan_out;
    int64_t n_copies;      /* of W and b: 1, or one for each member of the network */
    int64_t weight_offset; /* of W (n_copies, I, O) in the flat parameter vector */
    int64_t bias_offset;   /* of b (n_copies, O) */
    int64_t gain_offset, shift_offset;    /* of γ and β (O) of a normalised layer */
    int64_t alpha_offset;                 /* of α (O) of a parametric activation */
    int64_t mean_offset, variance_offset; /* of batch norm's running statistics (O) */
    int32_t activation;
    int32_t dropout_threshold; /* of this layer's input, 0 … 65535; 0 = no dropout */
    int32_t normalization;     /* between z and the activation */
    int32_t n_groups;          /* runs of units with statistics of their own in each row; 0 for batch norm */
    int32_t is_parametric;     /* 1: h = z + α (f(z) - z); 0: h = f(z) */
    /* With activation FASTMLP_CUSTOM: turns z in h (n) into f(z) and sets slope (n_slopes), which is n or 0
     * elements long, to f'(z). Called by several threads at once. */
    void (*custom)(int64_t n, int64_t n_slopes, void *h, void *slope);
} fastmlp_layer;

/* What a slot holds; the codes are those of plan/records.py. All but the last two are trained. */
enum {
    FASTMLP_WEIGHTS = 0,
    FASTMLP_BIASES,
    FASTMLP_GAINS,
    FASTMLP_SHIFTS,
    FASTMLP_ALPHAS,
    /* Of the front: factors of the inputs of layer 0, and what makes inputs of the columns of X. */
    FASTMLP_SCALES,
    FASTMLP_FREQUENCIES,
    FASTMLP_PHASES,
    FASTMLP_EMBEDDING_WEIGHTS,
    FASTMLP_EMBEDDING_BIASES,
    FASTMLP_TABLES,
    FASTMLP_RUNNING_MEANS,
    FASTMLP_RUNNING_VARIANCES
};

/* What is made of a column of X before layer 0; plan/front.py has the formulas. */
enum {
    FASTMLP_PLAIN = 0,
    FASTMLP_PERIODIC,
    FASTMLP_WAVES,
    FASTMLP_PIECEWISE,
    FASTMLP_TABLE,
    FASTMLP_ONE_HOT
};
/* Bound of a column's terms and of its inputs of layer 0. */
enum { FASTMLP_MOST_TERMS = 512 };

/* A column of X; mirrors FEATURE_DTYPE. K are its frequencies, bins or levels, M its terms, d its width. */
typedef struct {
    int32_t kind;
    int32_t beside;    /* 1 where x itself is the first of its inputs of layer 0 */
    int32_t rectified; /* 1 where negative inputs become 0; not x itself */
    int64_t offset;    /* of its first input of layer 0 */
    int64_t n_terms;   /* K */
    int64_t width;     /* d; 0 where terms are inputs themselves */
    /* In the flat vector: */
    int64_t frequency_offset, phase_offset; /* of w (K) and b (K) */
    int64_t weight_offset, bias_offset;     /* of W (M, d) and c (d) */
    int64_t table_offset;                   /* of a table (K, d) */
    int64_t bin_offset; /* among all bins, of its first one */
} fastmlp_feature;

/* One array (rows, columns) of the flat vector; mirrors SLOT_DTYPE. They lie there one after the other. */
typedef struct {
    int64_t kind;
    int64_t layer;  /* that it belongs to */
    int64_t group;  /* of the updates */
    int64_t offset; /* of its first element */
    int64_t rows, columns;
} fastmlp_slot;

/* Slots that are updated alike; mirrors GROUP_DTYPE. Each is a factor of the number of that name. */
typedef struct {
    double learning_rate, l1, l2, weight_decay;
} fastmlp_group;

/* What stays the same for all updates of a fit; mirrors SETTINGS_DTYPE. */
typedef struct {
    int64_t optimizer;   /* position in the table of optimizers.inc */
    double l2, l1;       /* penalties, divided by the batch's sum of sample weights */
    double batch_norm_momentum; /* share of a batch in the running statistics */
    uint64_t seed;       /* of the bits of dropout and noise */
    double clip_value, clip_norm; /* bounds of each |gradient| and of the norm of all; 0 = none, here and below */
    double max_norm;     /* bound of the norm of a hidden unit's incoming weights */
    double input_noise;  /* standard deviation */
} fastmlp_settings;

/* The numbers of one update; mirrors UPDATE_DTYPE. */
enum { FASTMLP_COEFFICIENTS = 8 };
typedef struct {
    int64_t step;          /* updates made before: the counter of random bits */
    double learning_rate;
    double rate_factor;    /* the optimiser's step size is learning_rate · rate_factor */
    double weight_decay;   /* decoupled */
    double gradient_noise; /* standard deviation */
    double dropout;         /* factor of the layers' thresholds, a multiple of 2^-24; 1 = as they are */
    double label_smoothing; /* s: soft targets t become t + s · (1/K - t), of K classes, or
                             * of K = 2 answers where each output answers alone; 0 = none */
    double coefficients[FASTMLP_COEFFICIENTS]; /* of the optimiser; its step function names them */
} fastmlp_update;

/* values (rows) = the losses of rows; gradient (rows, outputs) = their derivatives by the logits, both
 * without weights. logits and target are (rows, outputs). Called by several threads at once. */
typedef void (*fastmlp_custom_loss)(int64_t rows, int64_t outputs, const void *logits, const void *target,
                                    void *values, void *gradient);

/* A loss with its link, and the numbers that it depends on: the registry says which. With FASTMLP_CUSTOM,
 * whose link is the identity, the one parameter's bits are the address of a fastmlp_custom_loss. */
typedef struct {
    int32_t code;
    int64_t n_parameters;
    const double *parameters; /* (n_parameters) */
} fastmlp_loss;

typedef struct {
    const fastmlp_layer *layers; /* (L) */
    int64_t n_layers;            /* L */
    const fastmlp_slot *slots;   /* (n_slots): those that are trained, in the order of the vector */
    int64_t n_slots;
    const fastmlp_group *groups; /* as many as the slots name */
    int64_t n_weights;           /* what a row costs: Σ I · O for each member; without members, the weights that there are */
    int64_t n_parameters;        /* P */
    int64_t target_width;        /* T */
    int64_t n_inputs;            /* columns of X */
    int64_t n_members;           /* networks that are trained together: a batch of B rows is n_members · B virtual rows */
    int64_t n_scales;            /* rows of the scales (n_scales, I) of the inputs of layer 0: 0, 1 or n_members */
    int64_t scale_offset;        /* of the scales */
    const fastmlp_feature *features; /* (n_features): the columns of X */
    int64_t n_features;          /* n_inputs, or 0 where the columns are the inputs of layer 0 */
    const double *bins;          /* (bins of all columns, 2): where each begins, and 1 / its width */
    fastmlp_loss loss;
} fastmlp_plan;

/* X: where rows come from. Z stored elements of a sparse X, each column at most once in a row; what is not stored
 * is 0. */
typedef struct {
    int32_t kind;
    int32_t type;          /* of the values */
    int64_t n_columns;     /* of X: the width I of the first layer */
    const void *values;    /* dense: (N, n_columns); CSR: (Z) */
    const void *columns;   /* CSR: (Z), of the values, int32 or int64 as the kind says; else NULL */
    const int64_t *starts; /* CSR: (N + 1), ascending; row r is the elements starts[r] … starts[r + 1] - 1 */
} fastmlp_inputs;

typedef struct {
    fastmlp_inputs inputs;
    const void *target;        /* (N, T) real */
    const void *sample_weight; /* (N) real, or NULL for ones */
} fastmlp_data;

/* Sums over batches; see Totals in protocol.py. */
typedef struct {
    double cost, penalty;
    int64_t n_samples;
} fastmlp_totals;

/* Ways in which threads exchange what they learn from a batch; training/exchange.inc says what they are. */
enum { FASTMLP_ACTIVATIONS_TRAVEL = 0, FASTMLP_GRADIENTS_TRAVEL, FASTMLP_REPLICAS, FASTMLP_WAYS };

typedef struct {
    int64_t n_groups; /* of rows, whose gradients are summed */
    int64_t way;
    int64_t bytes[FASTMLP_WAYS]; /* by each way: what each thread reads, for a batch, of what others have written */
} fastmlp_exchange;

/* Every entry point of one (ISA × real type × precision). `void` stands for `real`. */
typedef struct {
    const char *isa;
    int32_t real_bytes, vector_bytes;
    int32_t needs_packed; /* 1: predictions read packed weights only */

    /* Rows and depth of the blocks of a packed left operand (rows, depth). */
    void (*block_size)(int64_t rows, int64_t depth, int64_t *block_rows /* () */, int64_t *block_depth /* () */);
    /* How many of n rows a thread takes through a network at once. */
    int64_t (*rows_at_once)(const fastmlp_plan *plan, int64_t n);

    /* Bytes of scratch for the three products of a layer. */
    size_t (*dense_scratch)(int64_t rows, int64_t fan_in, int64_t fan_out);
    /* out (B, O) = x (B, I) · w (I, O) + b (O) */
    void (*dense_forward)(int64_t rows, int64_t fan_in, int64_t fan_out, const void *x,
                          const void *w, const void *b, void *out, void *scratch /* (dense_scratch) */);
    /* out (B, I) = dz (B, O) · wᵀ, given wt (O, I) */
    void (*dense_backward_input)(int64_t rows, int64_t fan_in, int64_t fan_out, const void *dz,
                                 const void *wt, void *out, void *scratch /* (dense_scratch) */);
    /* dw (I, O) = xᵀ (I, B) · dz (B, O); db (O) = column sums of dz */
    void (*dense_backward_weights)(int64_t rows, int64_t fan_in, int64_t fan_out, const void *x /* (B, I) */,
                                   const void *dz, void *dw, void *db, void *scratch /* (dense_scratch) */);
    /* h (n) = f(z), dh_dz (n) = f'(z) */
    void (*activate)(int32_t activation, int64_t n, const void *z /* (n) */, void *h, void *dh_dz);
    /* normalized (B, O) = (z - mean) · scale; y (B, O) = gain (O) ⊙ normalized + shift (O). mean and scale are
     * (O) for batch norm, where `weight` (B) is the row's share in them and B > 1; else (B, n_groups). */
    void (*normalize_forward)(int32_t normalization, int64_t n_groups, int64_t rows, int64_t columns,
                              const void *z /* (B, O) */, const void *weight, const void *gain, const void *shift,
                              void *normalized, void *mean, void *scale, void *y);
    /* dz (B, O) and, in one array (2, O), the gradients of gain and shift, from dy (B, O) */
    void (*normalize_backward)(int32_t normalization, int64_t n_groups, int64_t rows, int64_t columns, const void *dy,
                               const void *weight /* (B) */, const void *gain, const void *normalized /* (B, O) */,
                               const void *scale /* as above */, void *dz, void *dgain_dshift /* (2, O) */);
    /* values (B) = loss of each row; gradient (B, C) = weight of the row · ∂loss/∂logits */
    void (*loss_and_gradient)(const fastmlp_loss *loss, int64_t rows, int64_t outputs, const void *logits /* (B, C) */,
                              const void *target /* (B, T) */, const void *sample_weight /* (B) or NULL */,
                              void *values, void *gradient);
    /* out (B, C) = the loss's natural prediction; out may be the logits */
    void (*link)(const fastmlp_loss *loss, int64_t rows, int64_t outputs, const void *logits /* (B, C) */, void *out);
    /* out (B) or, for self-information, softmax and its logarithm, (B, K); p (B, K) probabilities or
     * logits; q (B, K) for measures of two distributions, else NULL. out overlaps neither. */
    void (*measure_information)(int32_t measure, int64_t rows, int64_t outcomes, const void *p,
                                const void *q, void *out);
    /* out (B, O) *= 0 where dropped, 1/keep elsewhere */
    void (*apply_dropout)(int32_t threshold, uint64_t seed, int64_t layer, int64_t step,
                          int64_t rows, int64_t columns, void *out);
    /* out (B, O) = standard normal numbers */
    void (*standard_normals)(uint32_t stream, uint64_t seed, int64_t step, int64_t rows, int64_t columns,
                             void *out);
    /* cosine (n) and sine (n) of 2π · turns (n) */
    void (*cosine_and_sine)(int64_t n, const void *turns, void *cosine, void *sine);
    /* scales the columns of w (I, O) that are longer than max_norm down to it */
    void (*limit_norms)(int64_t fan_in, int64_t fan_out, double max_norm, void *w);
    /* Name of the operation with this code in one of the tables; NULL past the last. */
    const char *(*operation_name)(int32_t table, int64_t code);
    /* Vectors M that an optimiser remembers. */
    int64_t (*optimizer_moments)(int64_t code);
    /* one update of the plan's parameters (P) by gradient (P) with moments (M, P); only slots, groups and
     * n_parameters of the plan are read */
    void (*optimizer_update)(const fastmlp_settings *settings, const fastmlp_update *update, const fastmlp_plan *plan,
                             double weight_sum, void *parameters, const void *gradient, void *moments);

    /* out (N, K) = x (N, I) · w (K, I)ᵀ + b (K), rounded alike everywhere */
    void (*perceptron_scores)(int64_t rows, int64_t fan_in, int64_t units, const void *x,
                              const void *w, const void *b, void *out);
    /* Rosenblatt's rule over the rows order; target (N, K) zeros and ones, rates (N) step sizes.
     * Returns the mistakes of all units; rows of rate 0 are passed over. */
    int64_t (*perceptron_epoch)(int64_t n_order, int64_t fan_in, int64_t units, const int64_t *order /* (n_order) */,
                                const void *x /* (N, I) */, const void *target, const void *rates, void *w /* (K, I) */,
                                void *b /* (K) */);

    /* Scratch for training on batches of n_rows rows. */
    size_t (*workspace_bytes)(const fastmlp_plan *plan, const fastmlp_settings *settings, int64_t n_rows,
                              int64_t n_threads);
    /* How threads exchange what they learn from batches of n_rows rows. */
    fastmlp_exchange (*exchange)(const fastmlp_plan *plan, const fastmlp_settings *settings, int64_t n_rows,
                                 int64_t n_threads);
    /* Trains on the rows order (K), batch after batch, each with its update's numbers, updates (⌈K / batch_size⌉);
     * workspace made for batch_size rows, zeroed when new. Each member of the network has rows of its own if there
     * are n_members orders; else there is one. With measure_pace it uses all threads only while that is found to be
     * faster. */
    fastmlp_totals (*train_batches)(const fastmlp_plan *plan, const fastmlp_settings *settings,
                                    const fastmlp_update *updates, void *parameters /* (V) */,
                                    void *moments /* (M, P) */, const fastmlp_data *data,
                                    const int64_t *order /* (n_orders, K) */, int64_t n_orders, int64_t n_order,
                                    int64_t batch_size, void *workspace /* (workspace_bytes) */, int64_t n_threads,
                                    int32_t measure_pace);
    /* One batch of the rows order (n_rows), or 0 … n_rows-1 where it is NULL, with the random bits of a step; gradient (P)
     * of cost + penalty. The rows go through a workspace for most_rows of them in blocks. most_rows is a multiple of 8 or
     * all rows, and all where there is a batch norm: the running statistics among the parameters (V) become the batch's.
     * Small calls are left to one thread, unless all_threads are asked for. */
    fastmlp_totals (*objective_and_gradient)(const fastmlp_plan *plan, const fastmlp_settings *settings, int64_t step,
                                             void *parameters, const fastmlp_data *data,
                                             const int64_t *order /* (n_rows) or NULL */, int64_t n_rows,
                                             int64_t most_rows, void *gradient,
                                             void *workspace /* (workspace_bytes) */, int64_t n_threads,
                                             int32_t all_threads);
    /* Copies the weights into `packed` (packed_bytes), where predictions read them faster. */
    size_t (*packed_bytes)(const fastmlp_plan *plan);
    void (*pack_weights)(const fastmlp_plan *plan, const void *parameters /* (V) */, void *packed /* (packed_bytes) */);
    /* out (K, C) = network at x[rows], or at x itself when rows is NULL, the mean of its members; without the link
     * (K, n_members, C), the logits of each. `packed` as made by pack_weights, or NULL if the table does not need it;
     * scratch for workspace_rows rows at a time, shared by the threads. Returns which numbers were not finite:
     * FASTMLP_OUTPUTS for those of out, FASTMLP_INPUTS for those of a dense x without rows, where a number that is too
     * large for the table's type counts too. */
    size_t (*inference_bytes)(const fastmlp_plan *plan, int64_t workspace_rows);
    /* How many threads predicting so many rows is worth. */
    int64_t (*threads_for)(const fastmlp_plan *plan, int64_t n_rows);
    int32_t (*predict)(const fastmlp_plan *plan, const void *parameters /* (V) */,
                       void *packed /* (packed_bytes) or NULL */, const fastmlp_data *data,
                       const int64_t *rows /* (n_rows) or NULL */, int64_t n_rows, void *out /* (n_rows, C) */,
                       int32_t apply_link, void *workspace /* (inference_bytes) */, int64_t workspace_rows,
                       int64_t n_threads);
    /* Floating-point operations done by `iterations` rounds of independent register FMAs;
     * the result of the arithmetic goes to *sink so that none of it can be left out. */
    double (*fma_rounds)(int64_t iterations, double *sink /* () */);
    /* The same for the microkernel of the products, in memory that the caller has zeroed. */
    size_t (*microkernel_scratch)(void);
    double (*microkernel_rounds)(int64_t iterations, void *scratch /* (microkernel_scratch) */);
    /* Starts a team, has it meet `rounds` times, and ends it. */
    void (*barrier_rounds)(int64_t n_threads, int64_t rounds);
} fastmlp_kernels;

/* The table of the ISA named, or the fastest that this machine can run for "", whose products are of a precision; NULL
 * if it has none. */
const fastmlp_kernels *fastmlp_find_kernels(const char *isa, int32_t real_bytes, int32_t precision);
/* Name of the i-th ISA built in that this CPU and OS can run, slowest first; NULL past the end. */
const char *fastmlp_available_isa(int i);

#endif
