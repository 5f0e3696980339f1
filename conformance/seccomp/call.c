/*
 * One system call, and what came of it: call NAME|NUMBER[@i386] [ARGUMENT]...
 *
 * Prints "ok" or "errno N". With @i386 it goes through int 0x80, which is the kernel's door for programs
 * of 32 bits on x86_64, whatever the program's own architecture.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	long number;
} names[] = {
	{ "getpriority", SYS_getpriority },
	{ "personality", SYS_personality },
	{ "sethostname", SYS_sethostname },
	{ "getpid", SYS_getpid },
};

static long of_32_bits(long number, long one, long two)
{
#ifdef __x86_64__
	long answer;

	__asm__ volatile("int $0x80" : "=a"(answer) : "a"(number), "b"(one), "c"(two) : "r8", "r9", "r10", "r11", "memory");
	if (answer < 0) {
		errno = (int)-answer;
		return -1;
	}
	return answer;
#else
	(void)number, (void)one, (void)two;
	errno = ENOSYS;
	return -1;
#endif
}

int main(int count, char **words)
{
	unsigned long args[6] = { 0 };
	long number = -1, answer;
	char *way;

	if (count < 2)
		return 2;
	way = strchr(words[1], '@');
	if (way)
		*way = 0;
	for (size_t at = 0; at < sizeof(names) / sizeof(names[0]); at++)
		if (!strcmp(names[at].name, words[1]))
			number = names[at].number;
	if (number < 0)
		number = strtol(words[1], NULL, 0);
	for (int at = 2; at < count && at < 8; at++)
		args[at - 2] = strtoul(words[at], NULL, 0);
	answer = way ? of_32_bits(number, (long)args[0], (long)args[1])
		     : syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (answer == -1)
		printf("errno %d\n", errno);
	else
		printf("ok\n");
	return 0;
}
