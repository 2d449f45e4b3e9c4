// Stands between a process and its disk: LD_PRELOAD puts these in front of libc's calls. Of paths under one prefix it can write down what is
// done, in the order in which it is done, and let the n-th call fail. Everything else passes through.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE = 1, WRITE = 2, TRUNCATE = 4, SYNC = 8, UNLINK = 16, RENAME = 32, MKDIR = 64, OPEN = 128, MAP = 256, READ = 512, MARK = 1024 };
enum { FILES = 4096, PATHS = 1024 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char prefix[PATHS], failed[PATHS + 32];
static char *paths[FILES]; // of the descriptors under the prefix
static int trace = -1;
static int fail_at, fail_count, fail_error, fail_kinds, calls, failures;

static const char *name_of(int kind) {
    switch (kind) {
        case CREATE: return "create";
        case OPEN: return "open";
        case WRITE: return "write";
        case TRUNCATE: return "ftruncate";
        case SYNC: return "fsync";
        case UNLINK: return "unlink";
        case RENAME: return "rename";
        case MKDIR: return "mkdir";
        case MAP: return "mmap";
        default: return "read";
    }
}

static int is_ours(const char *path) { return prefix[0] && path && strncmp(path, prefix, strlen(prefix)) == 0; }
static const char *path_of(int fd) { return fd >= 0 && fd < FILES && prefix[0] ? paths[fd] : NULL; }

static void raw_write(const void *bytes, size_t size) {
    for (const char *at = bytes; size > 0;) {
        ssize_t done = syscall(SYS_write, trace, at, size);
        if (done <= 0) return;
        at += done;
        size -= done;
    }
}

// One operation: kind, offset or size, the length of the path and of the bytes, then both.
static void note(int kind, const char *path, int64_t offset, const void *bytes, uint32_t size) {
    if (trace < 0) return;
    struct { int32_t kind; uint32_t path; int64_t offset; uint32_t size, none; } head = { kind, path ? strlen(path) : 0, offset, size, 0 };
    raw_write(&head, sizeof head);
    if (path) raw_write(path, head.path);
    raw_write(bytes, size);
}

// Whether this call fails; *partly tells that a write is to do a part of its work.
static int fails(int kind, const char *path, int *partly) {
    if (!(fail_kinds & kind)) return 0;
    calls++;
    if (fail_at == 0 || calls < fail_at || (fail_count >= 0 && calls >= fail_at + fail_count)) return 0;
    failures++;
    snprintf(failed, sizeof failed, "%s %s", name_of(kind), path);
    if (fail_error < 0) {
        if (partly) *partly = 1;
        return 0;
    }
    errno = fail_error;
    return 1;
}

// ---- what a test says -------------------------------------------------------------------------------------------------

void disk_watch(const char *under) {
    pthread_mutex_lock(&gate);
    snprintf(prefix, sizeof prefix, "%s", under);
    pthread_mutex_unlock(&gate);
}

void disk_trace(const char *file) {
    pthread_mutex_lock(&gate);
    if (trace >= 0) syscall(SYS_close, trace);
    trace = file[0] ? syscall(SYS_openat, AT_FDCWD, file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600) : -1;
    pthread_mutex_unlock(&gate);
}

void disk_mark(const char *bytes, int size) {
    pthread_mutex_lock(&gate);
    note(MARK, NULL, 0, bytes, size);
    pthread_mutex_unlock(&gate);
}

// From the at-th call of these kinds on so many fail (below 0: all), with an errno, or below 0 by writing a part only. 0 for none.
void disk_fail(int at, int count, int error, int kinds) {
    pthread_mutex_lock(&gate);
    fail_at = at, fail_count = count, fail_error = error, fail_kinds = kinds, calls = failures = 0;
    failed[0] = 0;
    pthread_mutex_unlock(&gate);
}

int disk_calls(void) { return calls; }
int disk_failures(void) { return failures; }
const char *disk_failed(void) { return failed; }

// ---- what the process calls -------------------------------------------------------------------------------------------

#define NEXT(type, name, ...) \
    static type (*next)(__VA_ARGS__); \
    if (!next) next = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static int opened(const char *name, const char *path, int flags, mode_t mode) {
    NEXT(int, "open64", const char *, int, ...);
    (void)name;
    if (!is_ours(path)) return next(path, flags, mode);
    pthread_mutex_lock(&gate);
    struct stat before;
    int is_new = (flags & O_CREAT) && stat(path, &before) != 0;
    int result = fails(is_new ? CREATE : OPEN, path, NULL) ? -1 : next(path, flags, mode);
    int error = errno;
    if (result >= 0 && result < FILES) {
        if (paths[result]) free(paths[result]);
        paths[result] = strdup(path);
        if (is_new) note(CREATE, path, 0, NULL, 0);
        else if (flags & O_TRUNC) note(TRUNCATE, path, 0, NULL, 0);
    }
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opened("open64", path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opened("open", path, flags, mode);
}

int close(int fd) {
    NEXT(int, "close", int);
    if (!path_of(fd)) return next(fd);
    pthread_mutex_lock(&gate);
    if (paths[fd]) free(paths[fd]);
    paths[fd] = NULL;
    pthread_mutex_unlock(&gate);
    return next(fd);
}

static ssize_t written(int fd, const void *bytes, size_t size, off64_t at, int is_positioned) {
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    pthread_mutex_lock(&gate);
    int partly = 0;
    ssize_t result = fails(WRITE, paths[fd], &partly) ? -1 : 0;
    int error = errno;
    if (result == 0) {
        if (!is_positioned) at = lseek(fd, 0, SEEK_CUR);
        result = next(fd, bytes, partly && size > 1 ? size / 2 : size, at);
        error = errno;
        if (result > 0) {
            if (!is_positioned) lseek(fd, at + result, SEEK_SET);
            note(WRITE, paths[fd], at, bytes, result);
        }
    }
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return path_of(fd) ? written(fd, bytes, size, at, 1) : next(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return pwrite64(fd, bytes, size, at); }

ssize_t write(int fd, const void *bytes, size_t size) {
    NEXT(ssize_t, "write", int, const void *, size_t);
    return path_of(fd) ? written(fd, bytes, size, 0, 0) : next(fd, bytes, size);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) {
    NEXT(ssize_t, "pread64", int, void *, size_t, off64_t);
    if (path_of(fd)) {
        pthread_mutex_lock(&gate);
        int bad = fails(READ, paths[fd], NULL), error = errno;
        pthread_mutex_unlock(&gate);
        if (bad) { errno = error; return -1; }
    }
    return next(fd, bytes, size, at);
}

static int synced(const char *name, int fd) {
    NEXT(int, "fsync", int);
    (void)name;
    if (!path_of(fd)) return next(fd);
    pthread_mutex_lock(&gate);
    // Not done: what a power cut would leave is worked out from the notes, and the real disk is slow.
    int result = fails(SYNC, paths[fd], NULL) ? -1 : 0, error = errno;
    if (result == 0) note(SYNC, paths[fd], 0, NULL, 0);
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }

int ftruncate64(int fd, off64_t size) {
    NEXT(int, "ftruncate64", int, off64_t);
    if (!path_of(fd)) return next(fd, size);
    pthread_mutex_lock(&gate);
    int result = fails(TRUNCATE, paths[fd], NULL) ? -1 : next(fd, size), error = errno;
    if (result == 0) note(TRUNCATE, paths[fd], size, NULL, 0);
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
    NEXT(int, "unlink", const char *);
    if (!is_ours(path)) return next(path);
    pthread_mutex_lock(&gate);
    int result = fails(UNLINK, path, NULL) ? -1 : next(path), error = errno;
    if (result == 0) note(UNLINK, path, 0, NULL, 0);
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

int rename(const char *from, const char *to) {
    NEXT(int, "rename", const char *, const char *);
    if (!is_ours(from)) return next(from, to);
    pthread_mutex_lock(&gate);
    int result = fails(RENAME, from, NULL) ? -1 : next(from, to), error = errno;
    if (result == 0) note(RENAME, from, 0, to, strlen(to));
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

int mkdir(const char *path, mode_t mode) {
    NEXT(int, "mkdir", const char *, mode_t);
    if (!is_ours(path)) return next(path, mode);
    pthread_mutex_lock(&gate);
    int result = fails(MKDIR, path, NULL) ? -1 : next(path, mode), error = errno;
    if (result == 0) note(MKDIR, path, 0, NULL, 0);
    pthread_mutex_unlock(&gate);
    errno = error;
    return result;
}

void *mmap64(void *at, size_t size, int rights, int flags, int fd, off64_t offset) {
    NEXT(void *, "mmap64", void *, size_t, int, int, int, off64_t);
    if (path_of(fd)) {
        pthread_mutex_lock(&gate);
        int bad = fails(MAP, paths[fd], NULL), error = errno;
        pthread_mutex_unlock(&gate);
        if (bad) { errno = error; return MAP_FAILED; }
    }
    return next(at, size, rights, flags, fd, offset);
}
