/*
 * What libseccomp makes of a profile: reads profiles, writes BPF.
 *
 * In, one word list a line:
 *
 *     default ACTION              the action as the kernel returns it, hexadecimal
 *     arch NAME                   as seccomp_arch_resolve_name(3) knows it
 *     rule ACTION NAME [INDEX OP A B]...   OP as in enum scmp_compare
 *     name NAME                   a rule that says nothing, as its action is the default one
 *     end
 *
 * Out, for each profile: "unknown NAME" for a syscall that this libseccomp does not know; "refused NAME
 * ERRNO" for a rule that it does not take; "highest AUDIT NUMBER" for each architecture, of the names in
 * the rules; "insn CODE JT JF K" for each instruction; "end".
 */
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 4096

static scmp_filter_ctx filter;
static uint32_t architectures[32];
static int architecture_count;
static long highest[32];

static void begin(const char *action)
{
	filter = seccomp_init(strtoul(action, NULL, 16));
	if (!filter)
		exit(2);
	architectures[0] = seccomp_arch_native();
	architecture_count = 1;
	memset(highest, 0xff, sizeof(highest));
}

static void architecture(const char *name)
{
	uint32_t token = seccomp_arch_resolve_name(name);
	int error = token ? seccomp_arch_add(filter, token) : -EINVAL;

	if (error == -EEXIST)
		return;
	if (error)
		exit(3);
	architectures[architecture_count++] = token;
}

/* Its number here, or __NR_SCMP_ERROR. */
static int named(const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		printf("unknown %s\n", name);
	for (int at = 0; at < architecture_count; at++) {
		int there = seccomp_syscall_resolve_name_arch(architectures[at], name);

		if (there > highest[at])
			highest[at] = there;
	}
	return number;
}

static void rule(char *words)
{
	struct scmp_arg_cmp conditions[6];
	unsigned int count = 0;
	uint32_t action = strtoul(strtok_r(words, " ", &words), NULL, 16);
	char *name = strtok_r(NULL, " ", &words);
	int number = named(name);
	int error;
	char *word;

	if (number == __NR_SCMP_ERROR)
		return;
	while (count < 6 && (word = strtok_r(NULL, " ", &words))) {
		conditions[count].arg = strtoul(word, NULL, 10);
		conditions[count].op = strtoul(strtok_r(NULL, " ", &words), NULL, 10);
		conditions[count].datum_a = strtoull(strtok_r(NULL, " ", &words), NULL, 10);
		conditions[count].datum_b = strtoull(strtok_r(NULL, " ", &words), NULL, 10);
		count++;
	}
	error = seccomp_rule_add_array(filter, action, number, count, conditions);
	if (error)
		printf("refused %s %d\n", name, -error);
}

static void end(void)
{
	static struct sock_filter program[MOST];
	FILE *file = tmpfile();
	size_t length;

	if (!file || seccomp_export_bpf(filter, fileno(file)))
		exit(4);
	rewind(file);
	length = fread(program, sizeof(program[0]), MOST, file);
	fclose(file);
	for (int at = 0; at < architecture_count; at++)
		printf("highest %x %ld\n", architectures[at], highest[at]);
	for (size_t at = 0; at < length; at++)
		printf("insn %u %u %u %u\n", program[at].code, program[at].jt, program[at].jf, program[at].k);
	printf("end\n");
	seccomp_release(filter);
}

int main(void)
{
	static char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "default ", 8))
			begin(line + 8);
		else if (!strncmp(line, "arch ", 5))
			architecture(line + 5);
		else if (!strncmp(line, "rule ", 5))
			rule(line + 5);
		else if (!strncmp(line, "name ", 5))
			named(line + 5);
		else if (!strcmp(line, "end"))
			end();
		else
			return 5;
	}
	return 0;
}
