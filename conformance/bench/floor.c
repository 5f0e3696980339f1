/*
 * floor: the least kernel work that the default bundle costs on cgroup v2.
 *
 * A runtime reads config.json, checks it, remembers what it did, sets a device filter and can
 * undo all of it. This program does none of that. Everything is written into it: one cgroup, one
 * clone3, the mounts, the devices, pivot_root, the capabilities, execve. So its time is a lower
 * bound for the same container, and a runtime's time divided by it says how much of that time is
 * the runtime's own. The bundle that it copies is the one that bundle.rs writes.
 *
 *   floor run ROOTFS CGROUP     make CGROUP, run /bin/true in it, wait, remove CGROUP
 *   floor create ROOTFS CGROUP  the same up to execve; the process waits, its pid is printed
 *   floor exec CGROUP           run /bin/true beside the process that `create` left there, wait
 *   floor kill CGROUP           kill what `create` left there and remove CGROUP
 *   floor empty                 end at once: what it costs to start a static program
 *   floor peak FILE PROGRAM [ARGUMENT...]
 *                               run PROGRAM (a path), write its peak memory in KiB to FILE
 *
 * Exit status: 0, or the program's for `peak`; 99 when a step failed, named on stderr.
 *
 * No kernel headers: the C library may come without them (musl-gcc), so what the C library does
 * not declare is declared here, from the man pages clone(2), mount_setattr(2), capset(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The numbers of these calls are the same on every architecture (the table common since 5.1). */
#define NR_OPEN_TREE 428
#define NR_MOVE_MOUNT 429
#define NR_PIDFD_OPEN 434
#define NR_CLONE3 435
#define NR_MOUNT_SETATTR 442

#define INTO_CGROUP 0x200000000ull
#define NEW_CGROUP_NAMESPACE 0x02000000ull

#define TREE_CLONE 1
#define TREE_CLOEXEC O_CLOEXEC
#define WHOLE_TREE 0x8000    /* AT_RECURSIVE */
#define NO_PATH 0x1000       /* AT_EMPTY_PATH */
#define FROM_DESCRIPTOR 0x4  /* MOVE_MOUNT_F_EMPTY_PATH */
#define ATTR_RDONLY 0x1
#define ATTR_NOSUID 0x2
#define ATTR_NODEV 0x4
#define ATTR_NOEXEC 0x8

struct clone_request {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
    uint64_t stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
struct mount_attributes {
    uint64_t set, clear, propagation, userns;
};
struct cap_header {
    uint32_t version;
    int pid;
};
struct cap_sets {
    uint32_t effective, permitted, inheritable;
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Ends this process with the step's own text and the errno. */
static void fail(const char *step) {
    dprintf(2, "floor: cannot %s: %s\n", step, strerror(errno));
    _exit(99);
}
#define MUST(step, call) \
    do { \
        if ((long)(call) < 0) fail(step); \
    } while (0)

/* ---- the container's side ---------------------------------------------------------------- */

static void fill_dev(void) {
    static const struct {
        const char *path;
        unsigned major, minor;
    } nodes[] = {
        {"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
        {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
    };
    static const struct {
        const char *target, *path;
    } links[] = {
        {"/proc/self/fd", "dev/fd"},         {"/proc/self/fd/0", "dev/stdin"},
        {"/proc/self/fd/1", "dev/stdout"},   {"/proc/self/fd/2", "dev/stderr"},
        {"pts/ptmx", "dev/ptmx"},            {"/proc/kcore", "dev/core"},
    };
    umask(0);
    for (unsigned i = 0; i < COUNT(nodes); i++)
        MUST("make a device node",
             mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
    umask(022);
    for (unsigned i = 0; i < COUNT(links); i++)
        MUST("make a link in /dev", symlink(links[i].target, links[i].path));
    MUST("make /dev/pts", mkdir("dev/pts", 0755));
    MUST("make /dev/shm", mkdir("dev/shm", 0755));
    MUST("make /dev/mqueue", mkdir("dev/mqueue", 0755));
}

/* The mounts of the default bundle, in its order; the working directory is the new root. */
static void mount_all(void) {
    const unsigned long quiet = MS_NOSUID | MS_NOEXEC | MS_NODEV;
    MUST("mount proc", mount("proc", "proc", "proc", 0, NULL));
    MUST("mount dev", mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME,
                            "mode=755,size=65536k"));
    fill_dev();
    MUST("mount devpts", mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                               "newinstance,ptmxmode=0666,mode=0620,gid=5"));
    MUST("mount shm", mount("shm", "dev/shm", "tmpfs", quiet, "mode=1777,size=65536k"));
    MUST("mount mqueue", mount("mqueue", "dev/mqueue", "mqueue", quiet, NULL));
    MUST("mount sysfs", mount("sysfs", "sys", "sysfs", quiet | MS_RDONLY, NULL));
    MUST("mount cgroup2", mount("cgroup", "sys/fs/cgroup", "cgroup2",
                                quiet | MS_RELATIME | MS_RDONLY, NULL));
}

/* One copy of the mount below the path, changed while still detached, put on top: no remount. */
static void read_only(const char *path) {
    struct mount_attributes attr = {.set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC};
    int tree = syscall(NR_OPEN_TREE, AT_FDCWD, path, TREE_CLONE | TREE_CLOEXEC | WHOLE_TREE);
    if (tree < 0 && errno == ENOENT) return;
    MUST("copy a read-only path", tree);
    MUST("set a path read-only",
         syscall(NR_MOUNT_SETATTR, tree, "", NO_PATH | WHOLE_TREE, &attr, sizeof attr));
    MUST("place a read-only path", syscall(NR_MOVE_MOUNT, tree, "", AT_FDCWD, path,
                                           FROM_DESCRIPTOR));
    close(tree);
}

/* A failed mount is dearer than a stat, and one empty directory serves for all. */
static void mask(const char *path, const char **empty) {
    struct stat st;
    if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0) return;
    if (!S_ISDIR(st.st_mode)) {
        MUST("mask a file", mount("dev/null", path, NULL, MS_BIND, NULL));
    } else if (*empty) {
        MUST("mask a directory", mount(*empty, path, NULL, MS_BIND, NULL));
    } else {
        MUST("mask a directory", mount("tmpfs", path, "tmpfs", MS_RDONLY,
                                       "nr_blocks=1,nr_inodes=1"));
        *empty = path;
    }
}

static void hide_paths(void) {
    static const char *const fixed[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
                                        "proc/sysrq-trigger"};
    static const char *const hidden[] = {
        "proc/acpi",       "proc/asound",      "proc/kcore",      "proc/keys",    "proc/latency_stats",
        "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "sys/firmware", "proc/scsi"};
    const char *empty = NULL;
    for (unsigned i = 0; i < COUNT(fixed); i++) read_only(fixed[i]);
    for (unsigned i = 0; i < COUNT(hidden); i++) mask(hidden[i], &empty);
}

static void enter_root(const char *rootfs) {
    struct mount_attributes read_only_root = {.set = ATTR_RDONLY};
    MUST("make / a slave", mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
    MUST("bind the root", mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
    MUST("enter the root", chdir(rootfs));
    mount_all();
    hide_paths();
    /* The old root lands on top of the new one at "/", and "." is still the old one. */
    MUST("pivot", syscall(SYS_pivot_root, ".", "."));
    MUST("let the old root go", umount2(".", MNT_DETACH));
    MUST("enter /", chdir("/"));
    MUST("make the root read-only", syscall(NR_MOUNT_SETATTR, AT_FDCWD, "/", 0, &read_only_root,
                                            sizeof read_only_root));
}

static void give_up_privileges(void) {
    const uint32_t keep = 1u << 5 | 1u << 10 | 1u << 29; /* kill, net_bind_service, audit_write */
    struct rlimit files = {1024, 1024};
    struct cap_header header = {0x20080522, 0};
    struct cap_sets sets[2] = {{keep, keep, 0}, {0, 0, 0}};
    MUST("set the host name", sethostname("runc", 4));
    MUST("limit open files", setrlimit(RLIMIT_NOFILE, &files));
    MUST("begin a session", setsid());
    MUST("set no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    for (int cap = 0; cap < 64; cap++) {
        if (cap < 32 && (keep >> cap & 1)) continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) break; /* EINVAL: past the kernel's last */
    }
    MUST("set the capabilities", syscall(SYS_capset, &header, sets));
}

/* The whole child. With a descriptor it says there that all is ready, and waits for ever. */
static void child(const char *rootfs, int ready) {
    char *const argv[] = {"/bin/true", NULL};
    char *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         "TERM=xterm", NULL};
    enter_root(rootfs);
    give_up_privileges();
    if (ready >= 0) {
        MUST("say ready", write(ready, "r", 1));
        for (;;) pause();
    }
    execve(argv[0], argv, env);
    fail("execute /bin/true");
}

/* ---- the caller's side ------------------------------------------------------------------- */

/* A process in all new namespaces, born in the cgroup: never through cgroup.procs. */
static pid_t give_birth(const char *rootfs, const char *cgroup, int ready) {
    MUST("make the cgroup", mkdir(cgroup, 0755));
    int dir = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
    MUST("open the cgroup", dir);
    struct clone_request request = {
        .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                 NEW_CGROUP_NAMESPACE | INTO_CGROUP,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)dir,
    };
    pid_t pid = syscall(NR_CLONE3, &request, sizeof request);
    if (pid == 0) child(rootfs, ready);
    if (pid < 0) {
        int cause = errno;
        rmdir(cgroup);
        errno = cause;
        fail("clone");
    }
    close(dir);
    return pid;
}

/* The child's exit status; 128 + the signal if one ended it. */
static int outcome(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) fail("wait");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const char *rootfs, const char *cgroup) {
    int code = outcome(give_birth(rootfs, cgroup, -1));
    MUST("remove the cgroup", rmdir(cgroup));
    return code;
}

static int create(const char *rootfs, const char *cgroup) {
    int ready[2];
    char word;
    MUST("make a pipe", pipe2(ready, O_CLOEXEC));
    pid_t pid = give_birth(rootfs, cgroup, ready[1]);
    close(ready[1]);
    if (read(ready[0], &word, 1) != 1) { /* it died, and has said on stderr why */
        int code = outcome(pid);
        rmdir(cgroup);
        return code;
    }
    printf("%d\n", pid);
    return 0;
}

/* The first process of the cgroup, which `create` has left there. */
static pid_t first_of(const char *cgroup) {
    char path[4096], text[64];
    snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    MUST("open cgroup.procs", file);
    ssize_t length = read(file, text, sizeof text - 1);
    MUST("read cgroup.procs", length);
    close(file);
    text[length] = 0;
    return atoi(text);
}

/* A second process: its pid namespace is its parent's to choose, all others it joins in one call. */
static int exec(const char *cgroup) {
    char *const argv[] = {"/bin/true", NULL};
    char *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         "TERM=xterm", NULL};
    int process = syscall(NR_PIDFD_OPEN, first_of(cgroup), 0);
    MUST("open the container's process", process);
    int dir = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
    MUST("open the cgroup", dir);
    MUST("join the pid namespace", setns(process, CLONE_NEWPID));
    struct clone_request request = {
        .flags = INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)dir};
    pid_t pid = syscall(NR_CLONE3, &request, sizeof request);
    MUST("clone", pid);
    if (pid > 0) return outcome(pid);
    MUST("join the other namespaces",
         setns(process, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                            NEW_CGROUP_NAMESPACE));
    give_up_privileges();
    execve(argv[0], argv, env);
    fail("execute /bin/true");
    return 99;
}

/* Waits up to two seconds for the killed processes to be gone. */
static int kill_all(const char *cgroup) {
    char path[4096];
    snprintf(path, sizeof path, "%s/cgroup.kill", cgroup);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    MUST("open cgroup.kill", file);
    MUST("kill", write(file, "1", 1));
    close(file);
    for (int i = 0; rmdir(cgroup) < 0; i++) {
        struct timespec half_ms = {0, 500000};
        if (errno != EBUSY || i == 4000) fail("remove the cgroup");
        nanosleep(&half_ms, NULL);
    }
    return 0;
}

/*
 * The peak is measured from here because of how the kernel counts: until its execve a vfork
 * child runs in the caller's memory, and the caller's size stays in the child's ru_maxrss. This
 * program is small enough not to matter.
 */
static int peak(const char *file, char **argv, char **env) {
    int status;
    struct rusage used;
    pid_t pid = vfork();
    if (pid == 0) {
        execve(argv[0], argv, env);
        _exit(99);
    }
    MUST("start the program", pid);
    MUST("wait", wait4(pid, &status, 0, &used));
    int out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    MUST("write the peak", out);
    dprintf(out, "%ld\n", used.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv, char **env) {
    const char *verb = argc > 1 ? argv[1] : "";
    if (argc == 2 && !strcmp(verb, "empty")) return 0;
    if (argc == 4 && !strcmp(verb, "run")) return run(argv[2], argv[3]);
    if (argc == 4 && !strcmp(verb, "create")) return create(argv[2], argv[3]);
    if (argc == 3 && !strcmp(verb, "exec")) return exec(argv[2]);
    if (argc == 3 && !strcmp(verb, "kill")) return kill_all(argv[2]);
    if (argc >= 4 && !strcmp(verb, "peak")) return peak(argv[2], argv + 3, env);
    dprintf(2, "usage: floor run|create ROOTFS CGROUP | exec|kill CGROUP | empty | peak FILE PROGRAM\n");
    return 2;
}
