/* What both files of the driver share: numbers of either type, and what is expected of them. */
#ifndef FASTMLP_TESTS_PLAIN_H
#define FASTMLP_TESTS_PLAIN_H

#include "fastmlp.h"

/* The table under test, and the distance from 1 to the next number of its type (of bfloat16, where products round). */
extern const fastmlp_kernels *kernels;
extern double epsilon, epsilon_of_products;

/* Memory for n numbers of the table's type, all zero; it is never freed. */
void *numbers(int64_t n);
/* The same, filled with values from [low, high), which are the same in every run. */
void *drawn(int64_t n, double low, double high);
double at(const void *x, int64_t i);
void set(void *x, int64_t i, double value);
int32_t code_of(int32_t table, const char *name);
/* Counts the comparison, and ends the process with a message if |found - expected| is above `bound` or NaN. */
void expect(const char *what, int64_t i, double found, double expected, double bound);

/* Trains and predicts with a small network: network.c. */
void test_network(void);

#endif
