/* A team of threads for the time of one call, and the barrier inside it. */
#ifndef FASTMLP_TEAM_H
#define FASTMLP_TEAM_H

#include <stdint.h>

typedef struct fastmlp_team fastmlp_team;

/* What a member of the team runs: member 0 is the caller's own thread. */
typedef void (*fastmlp_work)(void *shared /* what the team works on */, fastmlp_team *team, int64_t member,
                             int64_t n_members);

/* Runs `work` on up to n_members threads and returns when all are done. A machine that grants
 * fewer threads gets a smaller team: results do not depend on the size of a team. */
void fastmlp_run_team(int64_t n_members, fastmlp_work work, void *shared);

/* Waits until every member of the team has arrived. */
void fastmlp_barrier(fastmlp_team *team);

#endif
