/* All kernels for one (ISA × real type). The build compiles this file once for each pair with
 *   FASTMLP_DOUBLE        0 or 1
 *   FASTMLP_VECTOR_BYTES  width of a vector register
 *   FASTMLP_ISA_NAME      e.g. v4
 * Only the table at the end has a name that the linker sees. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "fastmlp.h"
#include "network/fences.h"
#include "threads/team.h"

#include "base/vector.inc"
#include "base/transpose.inc"

#include "base/series.inc"
#include "base/exponential.inc"
#include "base/gaussian_tail.inc"
#include "operations/activations.inc"
#include "operations/normalizations.inc"
#include "random/dropout.inc"
#include "base/softmax.inc"
#include "random/noise.inc"
#include "operations/losses.inc"
#include "operations/information.inc"
#include "operations/shaping.inc"
#include "operations/optimizers.inc"
#include "operations/perceptron.inc"
#include "products/operand.inc"
#include "products/products.inc"
#include "products/narrow.inc"
#include "operations/max_norm.inc"

#include "training/pace.inc"
#include "network/workspace.inc"

#include "network/normalized_layers.inc"
#include "network/network.inc"
#include "network/segments.inc"

#include "training/groups.inc"

#include "training/updates.inc"
#include "training/training.inc"

#include "network/inference.inc"

#include "table.inc"
