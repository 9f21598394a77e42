"""Functions in C that steps call. Only those that are called are written.

In the texts, ``$`` stands for the prefix of all names, ``real`` for the network's type, and ``@``
after a function or a number for the ending that this type gives it: f for float.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["functions"]

#: Function → what it calls.
CALLS = {
    "gelu_tanh": ("logistic",),
    "silu": ("logistic",),
    "mish": ("softplus",),
    "gaussian": ("softplus",),
    "quantiles": ("softplus",),
    "robust": ("clipped",),
    "pieces": ("clipped",),
    "code": ("find",),
    "rank": ("find",),
    "date": ("days_before",),
}

TEXTS = {
    "logistic": """
/* 1 / (1 + exp(-z)); the exponent is never positive, so that nothing overflows. */
static real $logistic(real z)
{
    real decay = exp@(-fabs@(z));
    return (z < 0 ? decay : 1) / (1 + decay);
}
""",
    "tanh": """
static real $tanh(real z) { return tanh@(z); }
""",
    "relu": """
/* NaN stays NaN, here and below. */
static real $relu(real z) { return z < 0 ? 0 : z; }
""",
    "leaky_relu": """
static real $leaky_relu(real z) { return z > 0 ? z : z * 0.01@; }
""",
    "elu": """
static real $elu(real z) { return z > 0 ? z : expm1@(z); }
""",
    "selu": """
static real $selu(real z)
{
    return 1.0507009873554805@ * (z > 0 ? z : 1.6732632423543772@ * expm1@(z));
}
""",
    "softplus": """
/* log(1 + exp(z)) */
static real $softplus(real z) { return (z < 0 ? 0 : z) + log1p@(exp@(-fabs@(z))); }
""",
    "gelu": """
/* z Phi(z), Phi being the standard normal distribution. */
static real $gelu(real z)
{
    if (z < -40) return 0;
    return 0.5@ * z * erfc@(-z * 0.70710678118654752@);
}
""",
    "gelu_tanh": """
static real $gelu_tanh(real z)
{
    real near = z < -10000 ? -10000 : z > 10000 ? 10000 : z;
    real u = 0.79788456080286536@ * (near + 0.044715@ * near * near * near);
    return (z < near ? near : z) * $logistic(2 * u);
}
""",
    "silu": """
static real $silu(real z) { return (z < -10000 ? -10000 : z) * $logistic(z); }
""",
    "mish": """
static real $mish(real z) { return (z < -10000 ? -10000 : z) * tanh@($softplus(z)); }
""",
    "hard_sigmoid": """
static real $hard_sigmoid(real z) { return (z < -3 ? 0 : z > 3 ? 6 : z + 3) / 6; }
""",
    "hard_swish": """
static real $hard_swish(real z)
{
    return (z < -3 ? -3 : z) * ((z < -3 ? 0 : z > 3 ? 6 : z + 3) / 6);
}
""",
    "softsign": """
static real $softsign(real z)
{
    return isinf(z) ? (z > 0 ? 1.0@ : -1.0@) : z / (1 + fabs@(z));
}
""",
    "dense": """
/* z (n_out) = x (n_in) W (n_in, n_out) + b (n_out). Inputs that are 0 cost nothing. */
static void $dense(size_t n_in, size_t n_out, const real *x, const real *w, const real *b, real *z)
{
    for (size_t j = 0; j < n_out; j++) z[j] = b[j];
    for (size_t i = 0; i < n_in; i++, w += n_out) {
        if (x[i] == 0) continue;
        for (size_t j = 0; j < n_out; j++) z[j] += x[i] * w[j];
    }
}
""",
    **{
        f"dense_int{bits}": f"""
/* z (n_out) = x (n_in) W (n_in, n_out) s (n_out) + b (n_out); W are integers, and s what a unit of
 * them is worth. Inputs that are 0 cost nothing. */
static void $dense_int{bits}(size_t n_in, size_t n_out, const real *x, const {kind} *w,
    const real *s, const real *b, real *z)
{{
    for (size_t j = 0; j < n_out; j++) z[j] = 0;
    for (size_t i = 0; i < n_in; i++, w += n_out) {{
        if (x[i] == 0) continue;
        for (size_t j = 0; j < n_out; j++) z[j] += x[i] * (real)w[j];
    }}
    for (size_t j = 0; j < n_out; j++) z[j] = z[j] * s[j] + b[j];
}}
"""
        for bits, kind in ((8, "signed char"), (16, "short"))
    },
    "normalize": """
/* y (n_groups, size) = gain * (x - mean) / sqrt(variance + 1e-5) + shift, by the mean and the
 * variance of each group of x; y may be x. */
static void $normalize(size_t n_groups, size_t size, const real *x, const real *gain,
    const real *shift, real *y)
{
    for (size_t g = 0; g < n_groups; g++, x += size, y += size, gain += size, shift += size) {
        real mean = 0, variance = 0;
        for (size_t i = 0; i < size; i++) mean += x[i];
        mean /= (real)size;
        for (size_t i = 0; i < size; i++) variance += (x[i] - mean) * (x[i] - mean);
        variance /= (real)size;
        real deviation = sqrt@(variance + 1e-5@);
        for (size_t i = 0; i < size; i++) y[i] = gain[i] * ((x[i] - mean) / deviation) + shift[i];
    }
}
""",
    "level": """
/* The level that a number names; what names none is level 0. */
static size_t $level(real x, size_t n_levels)
{
    return x >= 0 && x < (real)n_levels ? (size_t)x : 0;
}
""",
    "cosines": """
/* y (n) = cos(2 pi x w + b) */
static void $cosines(size_t n, real x, const real *w, const real *b, real *y)
{
    for (size_t k = 0; k < n; k++) {
        real turns = x * w[k];
        y[k] = cos@((turns - rint@(turns)) * 6.2831853071795865@ + b[k]);
    }
}
""",
    "waves": """
/* y (2 n) = cos(2 pi x w), then sin(2 pi x w) */
static void $waves(size_t n, real x, const real *w, real *y)
{
    for (size_t k = 0; k < n; k++) {
        real turns = x * w[k], angle = (turns - rint@(turns)) * 6.2831853071795865@;
        y[k] = cos@(angle);
        y[n + k] = sin@(angle);
    }
}
""",
    "bins": """
/* y (n) = how far x fills each bin: from 0, but in the first one, to 1, but in the last one. */
static void $bins(size_t n, real x, const real *start, const real *scale, real *y)
{
    for (size_t k = 0; k < n; k++) {
        real filled = (x - start[k]) * scale[k];
        if (k > 0 && filled < 0) filled = 0;
        if (k + 1 < n && filled > 1) filled = 1;
        y[k] = filled;
    }
}
""",
    "softmax": """
/* p (n) = exp(z) / sum exp(z); p may be z. */
static void $softmax(size_t n, const real *z, real *p)
{
    real largest = z[0], sum = 0;
    for (size_t i = 1; i < n; i++) largest = z[i] > largest ? z[i] : largest;
    for (size_t i = 0; i < n; i++) sum += p[i] = exp@(z[i] - largest);
    for (size_t i = 0; i < n; i++) p[i] /= sum;
}
""",
    "gaussian": """
/* y (2 n) = n means, then n variances: log(1 + exp(z)) + 1e-6; y may be z. */
static void $gaussian(size_t n, const real *z, real *y)
{
    for (size_t i = 0; i < n; i++) y[i] = z[i];
    for (size_t i = n; i < 2 * n; i++) y[i] = $softplus(z[i]) + 1e-6@;
}
""",
    "quantiles": """
/* y (n_targets, n) = the lowest quantile of each target, and by log(1 + exp(z)) above it the next
 * ones; y may be z. */
static void $quantiles(size_t n_targets, size_t n, const real *z, real *y)
{
    for (size_t t = 0; t < n_targets; t++, z += n, y += n) {
        y[0] = z[0];
        for (size_t q = 1; q < n; q++) y[q] = y[q - 1] + $softplus(z[q]);
    }
}
""",
    "mean": """
/* y (n) = the mean of the rows of x (rows, n) */
static void $mean(size_t rows, size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++) {
        real sum = 0;
        for (size_t m = 0; m < rows; m++) sum += x[m * n + i];
        y[i] = sum / (real)rows;
    }
}
""",
    "mixture": """
/* y (2 n) = the means and the variances of the mixture of rows x (rows, 2 n) of such. */
static void $mixture(size_t rows, size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++) {
        real mean = 0, variance = 0;
        for (size_t m = 0; m < rows; m++) mean += x[2 * m * n + i];
        mean /= (real)rows;
        for (size_t m = 0; m < rows; m++) {
            real far = x[2 * m * n + i] - mean;
            variance += x[2 * m * n + n + i] + far * far;
        }
        y[i] = mean;
        y[n + i] = variance / (real)rows;
    }
}
""",
    "find": """
/* The place of a text among n ascending ones, or n if it is none of them. */
static size_t $find(const char *text, size_t n, const char *const *texts)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(text, texts[middle]);
        if (order == 0) return middle;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return n;
}
""",
    "code": """
/* The code of a text, `missing` for NULL, `unknown` for what is none of n ascending texts. */
static int $code(const char *text, size_t n, const char *const *texts, const int *codes,
    int unknown, int missing)
{
    if (text == NULL) return missing;
    size_t place = $find(text, n, texts);
    return place < n ? codes[place] : unknown;
}
""",
    "rank": """
/* The rank of a text, NaN for NULL and for what is none of n ascending texts. */
static double $rank(const char *text, size_t n, const char *const *texts, const int *ranks)
{
    size_t place = text == NULL ? n : $find(text, n, texts);
    return place < n ? (double)ranks[place] : (double)NAN;
}
""",
    "days_before": """
/* Days from 1970-01-01 to the first day of a month (0 is January) of the Gregorian calendar. */
static double $days_before(double year, int month)
{
    static const int passed[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    double before = year - 1;
    double leap_days = floor(before / 4) - floor(before / 100) + floor(before / 400);
    int is_leap = fmod(year, 4) == 0 && (fmod(year, 100) != 0 || fmod(year, 400) == 0);
    return 365 * before + leap_days - 719162 + passed[month] + (is_leap && month > 1);
}
""",
    "date": """
/* Parts of a date, and how much of the day, the week and the year has passed, as angles. */
typedef struct {
    double year, month, day, day_of_week, day_of_year, hour, minute, second;
    double angle_of_day, angle_of_week, angle_of_year;
} $date;

/* The parts of a date, given as seconds since 1970; all NaN for NaN. */
static $date $date_of(double seconds)
{
    const double turn = 6.283185307179586;
    $date d = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    if (!isfinite(seconds)) return d;
    double days = floor(seconds / 86400), rest = seconds - days * 86400;
    d.year = 1970 + floor(days / 365.2425);
    while ($days_before(d.year, 0) > days) d.year -= 1;
    while ($days_before(d.year + 1, 0) <= days) d.year += 1;
    int month = 11;
    while ($days_before(d.year, month) > days) month--;
    double begin = $days_before(d.year, 0), length = $days_before(d.year + 1, 0) - begin;
    d.month = month + 1;
    d.day = days - $days_before(d.year, month) + 1;
    d.day_of_week = days + 3 - 7 * floor((days + 3) / 7);
    d.day_of_year = days - begin + 1;
    d.hour = floor(rest / 3600);
    d.minute = floor(rest / 60) - 60 * d.hour;
    d.second = floor(rest) - 60 * floor(rest / 60);
    d.angle_of_day = turn * (rest / 86400);
    d.angle_of_week = turn * ((d.day_of_week + rest / 86400) / 7);
    d.angle_of_year = turn * ((days - begin + rest / 86400) / length);
    return d;
}
""",
    "turn": """
/* y (n_angles, n_pairs) = pairs of numbers of x, times what they count in each direction */
static void $turn(size_t n_angles, size_t n_pairs, const double *x, const int *pairs,
    const double *eastward, const double *northward, double *y)
{
    for (size_t a = 0; a < n_angles; a++) {
        for (size_t k = 0; k < n_pairs; k++) {
            size_t at = a * n_pairs + k;
            y[at] = x[pairs[2 * k]] * eastward[at] + x[pairs[2 * k + 1]] * northward[at];
        }
    }
}
""",
    "clipped": """
/* z / sqrt(1 + (z / 3)^2): near z around 0, and within 3 of it */
static double $clipped(double z)
{
    double near = z < -1e9 ? -1e9 : z > 1e9 ? 1e9 : z;
    return near / sqrt(1 + (near / 3) * (near / 3));
}
""",
    "robust": """
/* y (n) = (x - centre) * factor, clipped smoothly; 0 where x is NaN */
static void $robust(size_t n, const double *x, const int *places, const double *centres,
    const double *factors, float *y)
{
    for (size_t i = 0; i < n; i++) {
        double z = (x[places[i]] - centres[i]) * factors[i];
        y[i] = isnan(z) ? 0 : (float)$clipped(z);
    }
}
""",
    "pieces": """
/* y (n) = scale times how far numbers of x fill bins, from 0 to 1; 0 where they are NaN. Bins at an
 * open end (1: the first, 2: the last, 3: both) go on there, clipped smoothly. */
static void $pieces(size_t n, const double *x, const int *places, const double *starts,
    const double *widths, const signed char *ends, double scale, float *y)
{
    for (size_t i = 0; i < n; i++) {
        double z = (x[places[i]] - starts[i]) / widths[i];
        double filled = z < 0 ? 0 : z > 1 ? 1 : z;
        if ((ends[i] & 1) && z < 0) filled += $clipped(z);
        if ((ends[i] & 2) && z > 1) filled += $clipped(z - 1);
        y[i] = isnan(filled) ? 0 : (float)(filled * scale);
    }
}
""",
    "one_hot": """
/* y (n) = 1 at the place of the code of each category, else 0; places below 0 are none. */
static void $one_hot(size_t n_categories, size_t n, const int *codes, const int *places,
    const int *firsts, float *y)
{
    for (size_t i = 0; i < n; i++) y[i] = 0;
    for (size_t c = 0; c < n_categories; c++) {
        int place = places[firsts[c] + codes[c]];
        if (place >= 0) y[place] = 1;
    }
}
""",
    "temper": """
/* y (n) = softmax(log p / temperature); what has probability 0 keeps it. */
static void $temper(size_t n, double temperature, const double *p, double *y)
{
    double largest = -HUGE_VAL, sum = 0;
    for (size_t i = 0; i < n; i++) {
        y[i] = p[i] > 0 ? log(p[i] > 1e-12 ? p[i] : 1e-12) / temperature : -HUGE_VAL;
        if (y[i] > largest) largest = y[i];
    }
    for (size_t i = 0; i < n; i++) sum += y[i] = exp(y[i] - largest);
    for (size_t i = 0; i < n; i++) y[i] /= sum;
}
""",
    "from_deviate": """
/* The quantile (of n) at the share of a normal distribution that is below a deviate. */
static double $from_deviate(double deviate, size_t n, const double *shares, const double *quantiles)
{
    double share = 0.5 * erfc(-deviate * 0.70710678118654752);
    size_t low = 0, high = n - 1;
    if (isnan(share)) return share;
    if (share - 1e-7 < 0) return quantiles[0];
    if (share + 1e-7 > 1) return quantiles[n - 1];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (shares[middle] <= share) low = middle;
        else high = middle;
    }
    double slope = (quantiles[high] - quantiles[low]) / (shares[high] - shares[low]);
    return slope * (share - shares[low]) + quantiles[low];
}
""",
}


def functions(names: Iterable[str], prefix: str, real: str) -> list[str]:
    """Return the functions of these names and those that they call, each before its callers."""
    wanted: set[str] = set()
    for name in names:
        wanted |= {name, *CALLS.get(name, ())}
    suffix = "f" if real == "float" else ""
    ordered = sorted(wanted, key=list(TEXTS).index)
    return [_made(TEXTS[name], prefix, real, suffix) for name in ordered]


def _made(text: str, prefix: str, real: str, suffix: str) -> str:
    text = re.sub(r"\breal\b", real, text.strip())
    return text.replace("@", suffix).replace("$", prefix)
