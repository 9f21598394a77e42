/* What a team needs of the operating system: threads, and sleeping until a word changes. POSIX and Win32; Linux sleeps
 * by futex, Windows by WaitOnAddress, others yield. */
#ifndef FASTMLP_SYSTEM_H
#define FASTMLP_SYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>

#if defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#include <process.h>
#include <windows.h>

typedef HANDLE thread;
/* The head of a function that a thread runs, and how it ends. */
#define THREAD_FUNCTION(name, argument) static unsigned __stdcall name(void *argument)
#define THREAD_ENDS return 0

static inline bool start_thread(thread *t, unsigned(__stdcall *run)(void *), void *argument)
{
    *t = (HANDLE)_beginthreadex(NULL, 0, run, argument, 0, NULL);
    return *t != NULL;
}

static inline void join_thread(thread t)
{
    WaitForSingleObject(t, INFINITE);
    CloseHandle(t);
}

static inline void sleep_while(atomic_int *word, int value) { WaitOnAddress(word, &value, sizeof value, INFINITE); }
static inline void wake_all(atomic_int *word) { WakeByAddressAll((void *)word); }

#else

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

typedef pthread_t thread;
#define THREAD_FUNCTION(name, argument) static void *name(void *argument)
#define THREAD_ENDS return NULL

static inline bool start_thread(thread *t, void *(*run)(void *), void *argument)
{
    return pthread_create(t, NULL, run, argument) == 0;
}

static inline void join_thread(thread t) { pthread_join(t, NULL); }

/* Sleeps while *word is still `value`; it may return sooner. */
static inline void sleep_while(atomic_int *word, int value)
{
#if defined(__linux__)
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
#else
    (void)word, (void)value;
    sched_yield();
#endif
}

static inline void wake_all(atomic_int *word)
{
#if defined(__linux__)
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
#else
    (void)word;
#endif
}

#endif
#endif
