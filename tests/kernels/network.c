/* A network of two layers, tanh and the squared error, trained by gradient descent for some batches and asked for its
 * outputs: the gather, the packing, the three products, the update and the team of threads together. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

enum { ROWS = 150, BATCH = 40, N_BATCHES = 4, INPUTS = 13, HIDDEN = 37, OUTPUTS = 3 };
enum { WEIGHTS = INPUTS * HIDDEN + HIDDEN * OUTPUTS, PARAMETERS = WEIGHTS + HIDDEN + OUTPUTS };
enum { FIRST_BIAS = WEIGHTS, LAST_BIAS = WEIGHTS + HIDDEN, LAST_WEIGHT = INPUTS * HIDDEN };
static const double RATE = 0.05, L2 = 0.01;

static const fastmlp_group groups[] = {{1, 1, 1, 1}, {1, 0, 0, 0}};
static const fastmlp_slot slots[] = {{FASTMLP_WEIGHTS, 0, 0, 0, INPUTS, HIDDEN},
                                     {FASTMLP_WEIGHTS, 1, 0, LAST_WEIGHT, HIDDEN, OUTPUTS},
                                     {FASTMLP_BIASES, 0, 1, FIRST_BIAS, 1, HIDDEN},
                                     {FASTMLP_BIASES, 1, 1, LAST_BIAS, 1, OUTPUTS}};

static fastmlp_plan plan_of(fastmlp_layer *layers /* (2) */)
{
    layers[0] = (fastmlp_layer){.fan_in = INPUTS, .fan_out = HIDDEN, .n_copies = 1, .bias_offset = FIRST_BIAS,
                                .activation = code_of(FASTMLP_ACTIVATIONS, "tanh")};
    layers[1] = (fastmlp_layer){.fan_in = HIDDEN, .fan_out = OUTPUTS, .n_copies = 1, .weight_offset = LAST_WEIGHT,
                                .bias_offset = LAST_BIAS, .activation = code_of(FASTMLP_ACTIVATIONS, "identity")};
    return (fastmlp_plan){.layers = layers, .n_layers = 2, .slots = slots, .n_slots = 4, .groups = groups,
                          .n_weights = WEIGHTS, .n_parameters = PARAMETERS, .target_width = OUTPUTS,
                          .n_inputs = INPUTS, .n_members = 1,
                          .loss = {.code = code_of(FASTMLP_LOSSES, "squared_error")}};
}

/* h (HIDDEN) and out (OUTPUTS) of one row, in double. */
static void plain_forward(const double *p, const void *x, int64_t row, double *h, double *out)
{
    for (int j = 0; j < HIDDEN; j++) {
        double z = p[FIRST_BIAS + j];
        for (int i = 0; i < INPUTS; i++) z += at(x, row * INPUTS + i) * p[i * HIDDEN + j];
        h[j] = tanh(z);
    }
    for (int c = 0; c < OUTPUTS; c++) {
        out[c] = p[LAST_BIAS + c];
        for (int j = 0; j < HIDDEN; j++) out[c] += h[j] * p[LAST_WEIGHT + j * OUTPUTS + c];
    }
}

/* Adds the gradient of one row's loss, half the squares of all outputs. */
static void add_gradient(const double *p, const void *x, const void *target, int64_t row, double *g)
{
    double h[HIDDEN], out[OUTPUTS], dz[OUTPUTS];
    plain_forward(p, x, row, h, out);
    for (int c = 0; c < OUTPUTS; c++) {
        dz[c] = out[c] - at(target, row * OUTPUTS + c);
        g[LAST_BIAS + c] += dz[c];
    }
    for (int j = 0; j < HIDDEN; j++) {
        double dh = 0;
        for (int c = 0; c < OUTPUTS; c++) {
            dh += dz[c] * p[LAST_WEIGHT + j * OUTPUTS + c];
            g[LAST_WEIGHT + j * OUTPUTS + c] += dz[c] * h[j];
        }
        double dz_hidden = dh * (1 - h[j] * h[j]);
        g[FIRST_BIAS + j] += dz_hidden;
        for (int i = 0; i < INPUTS; i++) g[i * HIDDEN + j] += dz_hidden * at(x, row * INPUTS + i);
    }
}

static void plain_training(double *p, const void *x, const void *target, const int64_t *order)
{
    for (int64_t begin = 0; begin < ROWS; begin += BATCH) {
        int64_t n = ROWS - begin < BATCH ? ROWS - begin : BATCH;
        double g[PARAMETERS] = {0};
        for (int64_t r = begin; r < begin + n; r++) add_gradient(p, x, target, order[r], g);
        for (int i = 0; i < PARAMETERS; i++) p[i] -= RATE * (g[i] + (i < WEIGHTS ? L2 * p[i] : 0)) / (double)n;
    }
}

static void *trained(const fastmlp_plan *plan, const void *first, const fastmlp_data *data, const int64_t *order,
                     int64_t n_threads)
{
    fastmlp_settings settings = {.optimizer = code_of(FASTMLP_OPTIMIZERS, "sgd"), .l2 = L2};
    fastmlp_update updates[N_BATCHES];
    for (int i = 0; i < N_BATCHES; i++)
        updates[i] = (fastmlp_update){.step = i, .learning_rate = RATE, .rate_factor = 1, .dropout = 1};
    void *parameters = numbers(PARAMETERS), *moments = numbers(PARAMETERS);
    memcpy(parameters, first, (size_t)(PARAMETERS * kernels->real_bytes));
    void *workspace = numbers((int64_t)kernels->workspace_bytes(plan, &settings, BATCH, n_threads));
    kernels->train_batches(plan, &settings, updates, parameters, moments, data, order, 1, ROWS, BATCH, workspace,
                           n_threads, 0);
    return parameters;
}

static void expect_outputs(const fastmlp_plan *plan, void *parameters, const fastmlp_data *data)
{
    double p[PARAMETERS], h[HIDDEN], expected[OUTPUTS];
    void *out = numbers(ROWS * OUTPUTS), *packed = numbers((int64_t)kernels->packed_bytes(plan));
    kernels->pack_weights(plan, parameters, packed);
    void *workspace = numbers((int64_t)kernels->inference_bytes(plan, ROWS));
    int32_t faults = kernels->predict(plan, parameters, packed, data, NULL, ROWS, out, 1, workspace, ROWS, 2);
    expect("numbers that are not finite", 0, faults, 0, 0);
    for (int i = 0; i < PARAMETERS; i++) p[i] = at(parameters, i);
    for (int64_t r = 0; r < ROWS; r++) {
        plain_forward(p, data->inputs.values, r, h, expected);
        for (int c = 0; c < OUTPUTS; c++)
            expect("prediction", r * OUTPUTS + c, at(out, r * OUTPUTS + c), expected[c],
                   60 * epsilon + 6 * epsilon_of_products);
    }
}

void test_network(void)
{
    fastmlp_layer layers[2];
    fastmlp_plan plan = plan_of(layers);
    const void *x = drawn(ROWS * INPUTS, -1, 1), *target = drawn(ROWS * OUTPUTS, -1, 1);
    const void *first = drawn(PARAMETERS, -0.3, 0.3);
    int64_t order[ROWS];
    for (int64_t r = 0; r < ROWS; r++) order[r] = r * 11 % ROWS;
    fastmlp_inputs inputs = {.type = kernels->real_bytes == 4 ? FASTMLP_FLOAT32 : FASTMLP_FLOAT64,
                             .n_columns = INPUTS, .values = x};
    fastmlp_data data = {.inputs = inputs, .target = target};

    double p[PARAMETERS];
    for (int i = 0; i < PARAMETERS; i++) p[i] = at(first, i);
    plain_training(p, x, target, order);
    void *alone = trained(&plan, first, &data, order, 1);
    for (int i = 0; i < PARAMETERS; i++)
        expect("trained parameter", i, at(alone, i), p[i], 20 * epsilon + RATE * epsilon_of_products);
    for (int64_t n_threads = 2; n_threads <= 4; n_threads++) {
        const void *together = trained(&plan, first, &data, order, n_threads);
        for (int i = 0; i < PARAMETERS; i++) expect("parameter of a team", i, at(together, i), at(alone, i), 0);
    }
    expect_outputs(&plan, alone, &data);
}
