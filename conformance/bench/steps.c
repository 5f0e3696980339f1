/*
 * steps: which instructions a program executes, in the order of their first use.
 *
 *   steps FILE PROGRAM [ARGUMENT...]
 *
 * Runs PROGRAM and what it clones one instruction at a time, until PROGRAM has ended, and writes to
 * FILE a line for each address below 4 GiB (a static program that lies where its file says) that was
 * executed: the address as 16 hexadecimal digits, and "own", or "child" where a clone came there first.
 * What a clone executes by execve(2) is let go. The children end with this program: their tracer.
 *
 * Exit status: PROGRAM's; 99 when it could not be traced.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <elf.h>
#include <unistd.h>

#define HIGHEST 0x2000000ul /* 32 MiB: more than the program has */

static unsigned char seen[HIGHEST];

static unsigned long address(pid_t pid) {
    struct user_regs_struct regs;
    struct iovec io = {&regs, sizeof regs};
    if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io) < 0) return 0;
#if defined(__x86_64__)
    return regs.rip;
#else
    return regs.pc;
#endif
}

int main(int argc, char **argv) {
    const long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACEEXEC;
    FILE *out = argc > 2 ? fopen(argv[1], "w") : NULL;
    if (!out) {
        fprintf(stderr, "usage: steps FILE PROGRAM [ARGUMENT...]\n");
        return 99;
    }
    pid_t first = fork();
    if (first == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(argv[2], argv + 2);
        _exit(99);
    }
    int status;
    if (waitpid(first, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, first, 0, options) < 0) return 99;
    ptrace(PTRACE_SINGLESTEP, first, 0, 0);
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0) return 99;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (pid != first) continue;
            fclose(out);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (pid != first && status >> 16 == PTRACE_EVENT_EXEC) {
            ptrace(PTRACE_DETACH, pid, 0, 0);
            continue;
        }
        unsigned long at = address(pid);
        if (at > 0 && at < HIGHEST && !seen[at]) {
            seen[at] = 1;
            fprintf(out, "%016lx %s\n", at, pid == first ? "own" : "child");
        }
        int signal = WSTOPSIG(status);
        ptrace(PTRACE_SINGLESTEP, pid, 0, signal == SIGTRAP || signal == SIGSTOP ? 0 : signal);
    }
}
