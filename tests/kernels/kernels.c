/* Holds every kernel table that this processor runs against plain loops in double.
 *
 *   kernels                tests all tables, prints the instruction sets that were there
 *   kernels beyond TABLE   multiplies by v3 or v4 whatever the processor is, which must end the process where it lacks
 *                          the instructions: the proof that an emulated processor tells
 *
 * Sizes are awkward on purpose. Bounds are those of rounding: a sum of n terms is off by at most n · ε times the sum of
 * their magnitudes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plain.h"

const fastmlp_kernels *kernels;
double epsilon, epsilon_of_products;
static int64_t n_comparisons;

void *numbers(int64_t n)
{
    size_t bytes = ((size_t)(n * kernels->real_bytes) + 127) / 64 * 64;
    void *x = fastmlp_aligned_memory(bytes);
    if (x == NULL) exit(2);
    return memset(x, 0, bytes);
}

double at(const void *x, int64_t i)
{
    return kernels->real_bytes == 4 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

void set(void *x, int64_t i, double value)
{
    if (kernels->real_bytes == 4) ((float *)x)[i] = (float)value;
    else ((double *)x)[i] = value;
}

void *drawn(int64_t n, double low, double high)
{
    static uint32_t state = 1;
    void *x = numbers(n);
    for (int64_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        set(x, i, low + (high - low) * ((state >> 8) / 16777216.0));
    }
    return x;
}

int32_t code_of(int32_t table, const char *name)
{
    int32_t code = 0;
    while (strcmp(kernels->operation_name(table, code), name) != 0) code++;
    return code;
}

void expect(const char *what, int64_t i, double found, double expected, double bound)
{
    n_comparisons++;
    if (fabs(found - expected) <= bound) return;
    fprintf(stderr, "%s, %d bytes: %s[%lld] is %.17g, expected %.17g within %.3g\n", kernels->isa,
            (int)kernels->real_bytes, what, (long long)i, found, expected, bound);
    exit(1);
}

/* -- products --------------------------------------------------------------------------------- */

/* Compares c (rows, columns) with initial (columns or NULL) + left · right; steps say where elements lie. */
static void expect_product(const char *what, int64_t rows, int64_t depth, int64_t columns, const void *left,
                           int64_t left_row, int64_t left_step, const void *right, int64_t right_row,
                           int64_t right_step, const void *initial, const void *c)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            double sum = initial == NULL ? 0 : at(initial, j), magnitude = fabs(sum);
            for (int64_t k = 0; k < depth; k++) {
                double term = at(left, i * left_row + k * left_step) * at(right, k * right_row + j * right_step);
                sum += term, magnitude += fabs(term);
            }
            double bound = ((double)(depth + 2) * epsilon + 2 * epsilon_of_products) * magnitude;
            expect(what, i * columns + j, at(c, i * columns + j), sum, bound);
        }
}

static void test_products_of(int64_t rows, int64_t fan_in, int64_t fan_out)
{
    void *x = drawn(rows * fan_in, -1, 1), *w = drawn(fan_in * fan_out, -1, 1), *b = drawn(fan_out, -1, 1);
    void *dz = drawn(rows * fan_out, -1, 1), *wt = numbers(fan_in * fan_out);
    void *out = numbers(rows * fan_out), *dx = numbers(rows * fan_in), *dw = numbers(fan_in * fan_out);
    void *db = numbers(fan_out);
    void *scratch = numbers((int64_t)kernels->dense_scratch(rows, fan_in, fan_out));
    for (int64_t i = 0; i < fan_in; i++)
        for (int64_t j = 0; j < fan_out; j++) set(wt, j * fan_in + i, at(w, i * fan_out + j));

    kernels->dense_forward(rows, fan_in, fan_out, x, w, b, out, scratch);
    expect_product("forward", rows, fan_in, fan_out, x, fan_in, 1, w, fan_out, 1, b, out);
    kernels->dense_backward_input(rows, fan_in, fan_out, dz, wt, dx, scratch);
    expect_product("input", rows, fan_out, fan_in, dz, fan_out, 1, wt, fan_in, 1, NULL, dx);
    kernels->dense_backward_weights(rows, fan_in, fan_out, x, dz, dw, db, scratch);
    expect_product("weights", fan_in, rows, fan_out, x, 1, fan_in, dz, fan_out, 1, NULL, dw);
    void *one = numbers(1);
    set(one, 0, 1);
    expect_product("biases", 1, rows, fan_out, one, 0, 0, dz, fan_out, 1, NULL, db);
}

static void test_products(void)
{
    static const int64_t shapes[][3] = {{1, 1, 1},    {1, 64, 10},   {3, 5, 7},     {7, 13, 37},   {12, 16, 32},
                                        {13, 17, 33}, {72, 100, 10}, {130, 100, 77}, {65, 1, 300}, {144, 257, 65}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        test_products_of(shapes[i][0], shapes[i][1], shapes[i][2]);
}

/* -- element by element ----------------------------------------------------------------------- */

static double identity(double z) { return z; }
static double one(double z) { return (void)z, 1; }
static double logistic(double z) { return 1 / (1 + exp(-z)); }
static double logistic_slope(double z) { return logistic(z) * logistic(-z); }
static double tanh_slope(double z) { return 1 / (cosh(z) * cosh(z)); }
static double relu(double z) { return z > 0 ? z : 0; }
static double relu_slope(double z) { return z > 0; }
static double normal_share(double z) { return erfc(-z * sqrt(0.5)) / 2; }
static double gelu(double z) { return z * normal_share(z); }
static double gelu_slope(double z) { return normal_share(z) + z * exp(-z * z / 2) * 0.3989422804014327; }
static double softplus(double z) { return log1p(exp(-fabs(z))) + relu(z); }

static void test_activations(void)
{
    enum { N = 1003 };
    static const struct {
        const char *name;
        double (*f)(double), (*slope)(double);
    } cases[] = {{"identity", identity, one},  {"logistic", logistic, logistic_slope}, {"tanh", tanh, tanh_slope},
                 {"relu", relu, relu_slope},   {"gelu", gelu, gelu_slope},             {"softplus", softplus, logistic}};
    const void *z = drawn(N, -7, 7);
    void *h = numbers(N), *slope = numbers(N);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        kernels->activate(code_of(FASTMLP_ACTIVATIONS, cases[k].name), N, z, h, slope);
        for (int64_t i = 0; i < N; i++) {
            double expected = cases[k].f(at(z, i));
            double rounded_argument = (at(z, i) * at(z, i) + 2) * 0x1p-52; /* of what the plain loop calls */
            expect(cases[k].name, i, at(h, i), expected, (9 * epsilon + rounded_argument) * fabs(expected));
            expect("its slope", i, at(slope, i), cases[k].slope(at(z, i)), 9 * epsilon);
        }
    }
}

static void test_cosine_and_sine(void)
{
    enum { N = 517 };
    const void *turns = drawn(N, -20, 20);
    void *cosine = numbers(N), *sine = numbers(N);
    kernels->cosine_and_sine(N, turns, cosine, sine);
    for (int64_t i = 0; i < N; i++) {
        double angle = 6.283185307179586 * (at(turns, i) - floor(at(turns, i)));
        expect("cosine", i, at(cosine, i), cos(angle), 4 * epsilon);
        expect("sine", i, at(sine, i), sin(angle), 4 * epsilon);
    }
}

static void test_layer_norm(void)
{
    enum { B = 9, O = 53 };
    const void *z = drawn(B * O, -2, 2), *gain = drawn(O, 0.5, 2), *shift = drawn(O, -1, 1);
    void *normalized = numbers(B * O), *mean = numbers(B), *scale = numbers(B), *y = numbers(B * O);
    kernels->normalize_forward(FASTMLP_LAYER_NORM, 1, B, O, z, NULL, gain, shift, normalized, mean, scale, y);
    for (int64_t r = 0; r < B; r++) {
        double m = 0, v = 0;
        for (int64_t j = 0; j < O; j++) m += at(z, r * O + j) / O;
        for (int64_t j = 0; j < O; j++) v += (at(z, r * O + j) - m) * (at(z, r * O + j) - m) / O;
        for (int64_t j = 0; j < O; j++) {
            double expected = at(gain, j) * (at(z, r * O + j) - m) / sqrt(v + 1e-5) + at(shift, j);
            expect("layer norm", r * O + j, at(y, r * O + j), expected, 60 * epsilon);
        }
    }
}

static void test_dropout(void)
{
    enum { B = 61, O = 43, THRESHOLD = 13107 };
    void *x = numbers(B * O);
    for (int64_t i = 0; i < B * O; i++) set(x, i, 1);
    kernels->apply_dropout(THRESHOLD, 7, 1, 3, B, O, x);
    double kept = 1 / (1 - THRESHOLD / 65536.0), n_kept = 0;
    for (int64_t i = 0; i < B * O; i++) {
        expect("dropout", i, at(x, i), at(x, i) == 0 ? 0 : kept, epsilon * kept);
        n_kept += at(x, i) != 0;
    }
    expect("share that dropout keeps", 0, n_kept / (B * O), 1 / kept, 5 * sqrt(0.16 / (B * O)));
}

static void test_normals(void)
{
    enum { B = 101, O = 67 };
    void *x = numbers(B * O);
    kernels->standard_normals(FASTMLP_INPUT_NOISE_STREAM, 7, 3, B, O, x);
    double mean = 0, square = 0;
    for (int64_t i = 0; i < B * O; i++) mean += at(x, i) / (B * O), square += at(x, i) * at(x, i) / (B * O);
    expect("mean of normals", 0, mean, 0, 5 / sqrt(B * O));
    expect("mean square of normals", 0, square, 1, 5 * sqrt(2.0 / (B * O)));
}

static void test_max_norm(void)
{
    enum { I = 37, O = 29 };
    void *w = drawn(I * O, -0.3, 0.3), *before = numbers(I * O);
    for (int64_t i = 0; i < I * O; i++) set(before, i, at(w, i));
    kernels->limit_norms(I, O, 1, w);
    for (int64_t j = 0; j < O; j++) {
        double squares = 0;
        for (int64_t i = 0; i < I; i++) squares += at(before, i * O + j) * at(before, i * O + j);
        for (int64_t i = 0; i < I; i++)
            expect("max norm", i, at(w, i * O + j), at(before, i * O + j) / fmax(1, sqrt(squares)), 4 * epsilon);
    }
}

static void test_perceptron(void)
{
    enum { N = 23, I = 19, K = 3 };
    const void *x = drawn(N * I, -1, 1), *w = drawn(K * I, -1, 1), *b = drawn(K, -1, 1);
    void *out = numbers(N * K);
    kernels->perceptron_scores(N, I, K, x, w, b, out);
    double kept = epsilon_of_products;
    epsilon_of_products = 0; /* it rounds alike everywhere */
    expect_product("scores", N, I, K, x, I, 1, w, 1, I, b, out);
    epsilon_of_products = kept;
}

/* -- all tables ------------------------------------------------------------------------------- */

static void test_table(const char *isa, int32_t real_bytes, int32_t precision)
{
    kernels = fastmlp_find_kernels(isa, real_bytes, precision);
    if (kernels == NULL) return;
    epsilon = real_bytes == 4 ? 0x1p-23 : 0x1p-52;
    epsilon_of_products = precision == FASTMLP_MEDIUM ? 0x1p-8 : 0;
    n_comparisons = 0;
    test_products();
    test_activations();
    test_cosine_and_sine();
    test_layer_norm();
    test_dropout();
    test_normals();
    test_max_norm();
    test_perceptron();
    test_network();
    printf("%s, %d bytes%s: %lld numbers agree\n", isa, (int)real_bytes,
           precision == FASTMLP_MEDIUM ? ", products of bfloat16" : "", (long long)n_comparisons);
}

#if defined(__x86_64__)
extern const fastmlp_kernels fastmlp_kernels_v3_f32, fastmlp_kernels_v4_f32;

static int go_beyond(const char *table)
{
    kernels = strcmp(table, "v3") == 0 ? &fastmlp_kernels_v3_f32 : &fastmlp_kernels_v4_f32;
    epsilon = 0x1p-23;
    test_products();
    puts("the processor has these instructions");
    return 0;
}
#else
static int go_beyond(const char *table) { return (void)table, 2; }
#endif

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "beyond") == 0) return go_beyond(arguments[2]);
    for (int i = 0; fastmlp_available_isa(i) != NULL; i++) {
        const char *isa = fastmlp_available_isa(i);
        test_table(isa, 4, FASTMLP_HIGHEST);
        test_table(isa, 8, FASTMLP_HIGHEST);
        test_table(isa, 4, FASTMLP_MEDIUM);
    }
    printf("tested:");
    for (int i = 0; fastmlp_available_isa(i) != NULL; i++) printf(" %s", fastmlp_available_isa(i));
    printf("\n");
    return 0;
}
