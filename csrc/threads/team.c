/* Threads are started for each call and joined before it returns. Nothing outlives a call, so fork() is safe
 * between calls, and several Python threads can each have a team. */
#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include <stdatomic.h>
#include <stdint.h>

#include "threads/system.h"
#include "threads/team.h"

enum {
    MAX_MEMBERS = 256,
    /* About 10 µs of polling: longer than the imbalance of a small step, shorter than the time
     * slice that a busy machine would lose to it. After that the member sleeps. */
    POLLS_BEFORE_SLEEP = 1000
};

struct fastmlp_team {
    /* Arrivals and generation are on lines of their own: the pollers read only the latter. */
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_int generation;
    atomic_int sleepers;
    _Alignas(64) int64_t n_members;
    fastmlp_work work;
    void *shared;
};

typedef struct {
    fastmlp_team *team;
    int64_t member;
} seat;

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Returns once the team's generation is no longer `seen`. */
static void await_generation(fastmlp_team *team, int seen)
{
    for (int poll = 0; poll < POLLS_BEFORE_SLEEP; poll++) {
        if (atomic_load_explicit(&team->generation, memory_order_acquire) != seen) return;
        relax();
    }
    atomic_fetch_add(&team->sleepers, 1);
    while (atomic_load(&team->generation) == seen) sleep_while(&team->generation, seen);
    atomic_fetch_sub(&team->sleepers, 1);
}

static void next_generation(fastmlp_team *team)
{
    atomic_fetch_add(&team->generation, 1);
    if (atomic_load(&team->sleepers) > 0) wake_all(&team->generation);
}

void fastmlp_barrier(fastmlp_team *team)
{
    if (team->n_members == 1) return;
    int seen = atomic_load_explicit(&team->generation, memory_order_relaxed);
    if (atomic_fetch_add(&team->arrived, 1) == team->n_members - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        next_generation(team);
    } else {
        await_generation(team, seen);
    }
}

THREAD_FUNCTION(take_seat, argument /* a seat */)
{
    const seat *mine = argument;
    fastmlp_team *team = mine->team;
    await_generation(team, 0); /* the team's final size is known once generation 1 begins */
    team->work(team->shared, team, mine->member, team->n_members);
    THREAD_ENDS;
}

void fastmlp_run_team(int64_t n_members, fastmlp_work work, void *shared)
{
    fastmlp_team team = {.n_members = 1, .work = work, .shared = shared};
    thread threads[MAX_MEMBERS];
    seat seats[MAX_MEMBERS];

    for (; team.n_members < n_members && team.n_members < MAX_MEMBERS; team.n_members++) {
        int64_t i = team.n_members;
        seats[i] = (seat){&team, i};
        if (!start_thread(&threads[i], take_seat, &seats[i])) break;
    }
    next_generation(&team);
    work(shared, &team, 0, team.n_members);
    for (int64_t i = 1; i < team.n_members; i++) join_thread(threads[i]);
}
