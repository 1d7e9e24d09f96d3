/* SPDX-License-Identifier: MIT */
/* uml_xstate.c: preloaded into user-mode-linux, which hands back as much of a
 * process's vector registers as it has room for (2696 bytes); where the CPU has
 * more (AMX), the host's kernel takes all of them or none. */
#define _GNU_SOURCE
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

long ptrace(enum __ptrace_request request, ...)
{
	static _Thread_local unsigned char all[65536];
	va_list args;
	long pid = 0;
	void *addr = NULL;
	void *data = NULL;
	long value = 0;
	long ret = 0;

	va_start(args, request);
	pid = va_arg(args, int);
	addr = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);
	if (request == PTRACE_SETREGSET && (long)addr == NT_X86_XSTATE) {
		const struct iovec *part = data;
		struct iovec whole = {all, sizeof(all)};

		if (part->iov_len < sizeof(all) &&
			syscall(SYS_ptrace, PTRACE_GETREGSET, pid, addr,
				&whole) == 0 &&
			part->iov_len < whole.iov_len) {
			memcpy(all, part->iov_base, part->iov_len);
			return syscall(SYS_ptrace, request, pid, addr, &whole);
		}
	}
	/* The system call stores what it has peeked; the function returns it.
	 */
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA ||
		request == PTRACE_PEEKUSER) {
		ret = syscall(SYS_ptrace, request, pid, addr, &value);
		return ret < 0 ? ret : value;
	}
	return syscall(SYS_ptrace, request, pid, addr, data);
}
