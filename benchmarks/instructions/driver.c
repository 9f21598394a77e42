/* Runs one kernel of the core, or a small epoch, for count.py to count the instructions of.
 *
 *   instructions compiler      which compiler made this
 *   instructions list          names of the cases, one a line
 *   instructions ISA CASE      prepares the case and runs it once, inside measured()
 *
 * Everything is fixed: sizes, data, one thread, float32. So the count is the same in every run and
 * depends on the sources, the compiler and the C library only. Sizes are awkward on purpose: the
 * masked edges of a tile count as well as its middle. */
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastmlp.h"

enum {
    ROWS = 130, FAN_IN = 100, FAN_OUT = 77, /* of the three products */
    ELEMENTS = 10007,                       /* of the activations and the optimiser */
    CLASS_ROWS = 500, CLASSES = 10,         /* of the losses */
    EPOCH_ROWS = 450, BATCH = 200,          /* the last batch is short */
    FLOATS = 1 << 16                        /* in each buffer: enough for all cases */
};

static alignas(64) float a[FLOATS], b[FLOATS], c[FLOATS], d[FLOATS], scratch[FLOATS];
static int64_t order[EPOCH_ROWS];
static const fastmlp_kernels *kernels;

/* Values in [-1, 1), the same in every run. */
static void fill(float *x, int64_t n)
{
    static uint32_t state = 1;
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / (1 << 23) - 1;
    }
}

static void fill_classes(float *target, int64_t n, int64_t classes)
{
    for (int64_t i = 0; i < n; i++) target[i] = (float)(i % classes);
}

/* Codes of operations, looked up before anything is counted. */
static struct {
    int32_t identity, logistic, tanh, relu, gelu, softmax_cross_entropy, huber, adam;
} codes;

static int32_t code_of(int32_t table, const char *name)
{
    int32_t code = 0;
    while (strcmp(kernels->operation_name(table, code), name) != 0) code++;
    return code;
}

static void look_up_codes(void)
{
    codes.identity = code_of(FASTMLP_ACTIVATIONS, "identity");
    codes.logistic = code_of(FASTMLP_ACTIVATIONS, "logistic");
    codes.tanh = code_of(FASTMLP_ACTIVATIONS, "tanh");
    codes.relu = code_of(FASTMLP_ACTIVATIONS, "relu");
    codes.gelu = code_of(FASTMLP_ACTIVATIONS, "gelu");
    codes.softmax_cross_entropy = code_of(FASTMLP_LOSSES, "softmax_cross_entropy");
    codes.huber = code_of(FASTMLP_LOSSES, "huber");
    codes.adam = code_of(FASTMLP_OPTIMIZERS, "adam");
}

static fastmlp_settings adam(void) { return (fastmlp_settings){.optimizer = codes.adam, .l2 = 1e-4, .seed = 7}; }

/* Its first update: 1 − β₁, 1 − β₂ and ε, and the rate's factor √(1 − β₂)/(1 − β₁). */
static const fastmlp_update first_update = {
    .learning_rate = 1e-3, .rate_factor = 0.31622776601683794, .dropout = 1, .coefficients = {0.1, 0.001, 1e-8}};

/* Of weights and of all else. */
static const fastmlp_group groups[] = {{1, 1, 1, 1}, {1, 0, 0, 0}};

/* -- kernels ---------------------------------------------------------------------------------- */

static void forward_product(void) { kernels->dense_forward(ROWS, FAN_IN, FAN_OUT, a, b, c, d, scratch); }

static void input_product(void) { kernels->dense_backward_input(ROWS, FAN_IN, FAN_OUT, a, b, d, scratch); }

static void gradient_product(void)
{
    kernels->dense_backward_weights(ROWS, FAN_IN, FAN_OUT, a, b, c, d, scratch);
}

static void activation_relu(void) { kernels->activate(codes.relu, ELEMENTS, a, c, d); }

static void activation_tanh(void) { kernels->activate(codes.tanh, ELEMENTS, a, c, d); }

static void activation_logistic(void) { kernels->activate(codes.logistic, ELEMENTS, a, c, d); }

static void activation_gelu(void) { kernels->activate(codes.gelu, ELEMENTS, a, c, d); }

static void softmax_cross_entropy(void)
{
    const double smoothing = 0;
    const fastmlp_loss loss = {codes.softmax_cross_entropy, 1, &smoothing};
    kernels->loss_and_gradient(&loss, CLASS_ROWS, CLASSES, a, b, NULL, c, d);
}

/* One of the losses that are sums over the outputs. */
static void huber(void)
{
    const double delta = 0.5;
    const fastmlp_loss loss = {codes.huber, 1, &delta};
    kernels->loss_and_gradient(&loss, CLASS_ROWS, CLASSES, a, b, NULL, c, d);
}

static void adam_update(void)
{
    fastmlp_settings settings = adam();
    const fastmlp_slot slots[] = {{.columns = ELEMENTS - 7, .rows = 1},
                                  {FASTMLP_BIASES, 0, 1, ELEMENTS - 7, 1, 7}};
    const fastmlp_plan plan = {.slots = slots, .n_slots = 2, .groups = groups, .n_parameters = ELEMENTS};
    kernels->optimizer_update(&settings, &first_update, &plan, 1, a, b, c);
}

static void dropout(void) { kernels->apply_dropout(13107, 7, 1, 3, ROWS, FAN_IN, a); }

static void normal_noise(void) { kernels->standard_normals(1, 7, 3, ROWS, FAN_IN, a); }

static void max_norm(void) { kernels->limit_norms(FAN_IN, FAN_OUT, 1, a); }

/* -- epochs ----------------------------------------------------------------------------------- */

/* A network with its parameters in c, moments in d, rows in a and classes in b. */
typedef struct {
    fastmlp_layer layers[3];
    fastmlp_slot slots[6];
    fastmlp_plan plan;
    void *workspace;
} network;

static network epoch;

static void add_layer(network *n, int64_t fan_in, int64_t fan_out, int32_t activation, double dropout)
{
    n->layers[n->plan.n_layers++] = (fastmlp_layer){
        .fan_in = fan_in, .fan_out = fan_out, .n_copies = 1, .weight_offset = n->plan.n_weights,
        .activation = activation, .dropout_threshold = (int32_t)(dropout * 65536)};
    n->slots[n->plan.n_layers - 1] = (fastmlp_slot){
        FASTMLP_WEIGHTS, n->plan.n_layers - 1, 0, n->plan.n_weights, fan_in, fan_out};
    n->plan.n_weights += fan_in * fan_out;
}

/* Places the biases behind all weights, draws the parameters and takes memory for the workspace. */
static void finish_network(network *n)
{
    static const double smoothing = 0;
    fastmlp_plan *plan = &n->plan;
    plan->layers = n->layers;
    plan->slots = n->slots;
    plan->n_slots = 2 * plan->n_layers;
    plan->n_inputs = n->layers[0].fan_in;
    plan->n_members = 1;
    plan->groups = groups;
    plan->target_width = 1;
    plan->loss = (fastmlp_loss){codes.softmax_cross_entropy, 1, &smoothing};
    plan->n_parameters = plan->n_weights;
    for (int64_t l = 0; l < plan->n_layers; l++) {
        n->layers[l].bias_offset = plan->n_parameters;
        n->slots[plan->n_layers + l] = (fastmlp_slot){
            FASTMLP_BIASES, l, 1, plan->n_parameters, 1, n->layers[l].fan_out};
        plan->n_parameters += n->layers[l].fan_out;
    }
    for (int64_t i = 0; i < plan->n_parameters; i++) c[i] *= 0.1f;
    memset(d, 0, sizeof d);
    fill_classes(b, EPOCH_ROWS, n->layers[plan->n_layers - 1].fan_out);
    for (int64_t r = 0; r < EPOCH_ROWS; r++) order[r] = r * 11 % EPOCH_ROWS;
    fastmlp_settings settings = adam();
    size_t bytes = kernels->workspace_bytes(plan, &settings, BATCH, 1);
    n->workspace = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (n->workspace == NULL) exit(1);
    memset(n->workspace, 0, bytes);
}

static void prepare_digits(void)
{
    add_layer(&epoch, 64, 100, codes.relu, 0);
    add_layer(&epoch, 100, 10, codes.identity, 0);
    finish_network(&epoch);
}

static void prepare_odd(void)
{
    add_layer(&epoch, 13, 37, codes.tanh, 0);
    add_layer(&epoch, 37, 53, codes.tanh, 0.2);
    add_layer(&epoch, 53, 3, codes.identity, 0.2);
    finish_network(&epoch);
}

static void train_epoch(void)
{
    fastmlp_settings settings = adam();
    fastmlp_inputs inputs = {.kind = FASTMLP_DENSE, .type = FASTMLP_FLOAT32, .n_columns = epoch.layers->fan_in, .values = a};
    fastmlp_data data = {.inputs = inputs, .target = b};
    const fastmlp_update updates[] = {first_update, first_update, first_update};
    kernels->train_batches(&epoch.plan, &settings, updates, c, d, &data, order, 1, EPOCH_ROWS, BATCH,
                           epoch.workspace, 1, 0);
}

/* -- the table -------------------------------------------------------------------------------- */

static void prepare_classes(void) { fill_classes(b, CLASS_ROWS, CLASSES); }

static void prepare_moments(void) { memset(c, 0, sizeof c); }

static void prepare_nothing(void) {}

static const struct {
    const char *name;
    void (*prepare)(void); /* not counted */
    void (*run)(void);
} cases[] = {
    {"forward_product", prepare_nothing, forward_product},
    {"input_product", prepare_nothing, input_product},
    {"gradient_product", prepare_nothing, gradient_product},
    {"relu", prepare_nothing, activation_relu},
    {"tanh", prepare_nothing, activation_tanh},
    {"logistic", prepare_nothing, activation_logistic},
    {"gelu", prepare_nothing, activation_gelu},
    {"softmax_cross_entropy", prepare_classes, softmax_cross_entropy},
    {"huber", prepare_nothing, huber},
    {"adam_update", prepare_moments, adam_update},
    {"dropout", prepare_nothing, dropout},
    {"normal_noise", prepare_nothing, normal_noise},
    {"max_norm", prepare_nothing, max_norm},
    {"epoch_64_100_10", prepare_digits, train_epoch},
    {"epoch_13_37_53_3", prepare_odd, train_epoch},
};

enum { N_CASES = sizeof cases / sizeof cases[0] };

/* The one function that callgrind is told to count in. Something follows the call, or it would be
 * a jump out of the function. */
__attribute__((noinline)) void measured(void (*run)(void));
void measured(void (*run)(void))
{
    run();
    __asm__ volatile("");
}

static int run_case(const char *name)
{
    float *buffers[] = {a, b, c, d};
    for (int i = 0; i < 4; i++) fill(buffers[i], FLOATS);
    for (int i = 0; i < N_CASES; i++) {
        if (strcmp(cases[i].name, name) != 0) continue;
        cases[i].prepare();
        measured(cases[i].run);
        return 0;
    }
    fprintf(stderr, "there is no case %s\n", name);
    return 1;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "compiler") == 0) return puts(COMPILER) < 0;
    if (count == 2 && strcmp(arguments[1], "list") == 0) {
        for (int i = 0; i < N_CASES; i++) puts(cases[i].name);
        return 0;
    }
    if (count != 3) {
        fprintf(stderr, "usage: instructions compiler | list | ISA CASE\n");
        return 1;
    }
    kernels = fastmlp_find_kernels(arguments[1], sizeof(float), FASTMLP_HIGHEST);
    if (kernels == NULL) {
        fprintf(stderr, "this CPU does not run the kernels %s\n", arguments[1]);
        return 1;
    }
    look_up_codes();
    return run_case(arguments[2]);
}
