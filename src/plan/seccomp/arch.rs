//! Architectures: what a filter must know of each.

use oci_spec::runtime::Arch as Word;

/// How many columns the table of syscalls has.
pub(super) const COLUMNS: usize = 18;

/// x32 syscalls have this bit in their number; asm/unistd.h, `__X32_SYSCALL_BIT`.
pub(super) const X32_BIT: u32 = 0x4000_0000;

/// An architecture of config-linux.md, "Seccomp".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arch {
    /// As it is written in config.json.
    pub name: &'static str,
    /// Where its numbers stand in the table.
    pub column: usize,
    /// `AUDIT_ARCH_*` of linux/audit.h: what the kernel tells the filter.
    pub audit: u32,
    /// What every number of it has set.
    pub bit: u32,
    /// How much of an argument counts.
    pub width: Width,
    /// Its byte order.
    pub order: Order,
    /// The numbers of socketcall(2) and ipc(2), each of which is many; `None` where neither exists.
    pub multiplexed: Option<(u32, u32)>,
    /// What is odd about its numbers.
    pub oddity: Oddity,
}

/// Whether the arguments of a syscall have 64 bits, or their lower 32 alone count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Half,
    Whole,
}

/// Byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// What is odd about the numbers of an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oddity {
    None,
    /// arm: there are private ones far above the others.
    Private,
    /// s390: one that the kernel does not know reaches a filter as 0.
    Hidden,
}

/// The bits of linux/audit.h: 64 bits, little endian, and MIPS' N32.
const A64: u32 = 0x8000_0000;
const LE: u32 = 0x4000_0000;
const N32: u32 = 0x2000_0000;

/// arm's private syscalls (asm/unistd.h, `__ARM_NR_BASE`), which need more than 16 bits.
pub(super) const ARM_PRIVATE: u32 = 0x000f_0000;

/// `AUDIT_ARCH_X86_64`, which is x32's too.
pub(super) const AUDIT_X86_64: u32 = 62 | A64 | LE;

/// What this program was built for.
pub(super) const NATIVE: Word = native();

impl Arch {
    /// The architecture of this word; machine numbers as in linux/elf-em.h.
    pub(super) const fn of(word: Word, native: Word) -> Arch {
        match word {
            Word::ScmpArchX86 => plain("SCMP_ARCH_X86", 0, 3 | LE).calls(0),
            Word::ScmpArchX86_64 => plain("SCMP_ARCH_X86_64", 1, AUDIT_X86_64),
            Word::ScmpArchX32 => x32(),
            Word::ScmpArchArm => plain("SCMP_ARCH_ARM", 3, 40 | LE).odd(Oddity::Private),
            Word::ScmpArchAarch64 => plain("SCMP_ARCH_AARCH64", 4, 183 | A64 | LE),
            Word::ScmpArchLoongarch64 => plain("SCMP_ARCH_LOONGARCH64", 5, 258 | A64 | LE),
            Word::ScmpArchM68k => plain("SCMP_ARCH_M68K", 6, 4).calls(0),
            Word::ScmpArchMips => plain("SCMP_ARCH_MIPS", 7, 8).calls(4000),
            Word::ScmpArchMipsel => plain("SCMP_ARCH_MIPSEL", 7, 8 | LE).calls(4000),
            Word::ScmpArchMips64 => plain("SCMP_ARCH_MIPS64", 8, 8 | A64),
            Word::ScmpArchMipsel64 => plain("SCMP_ARCH_MIPSEL64", 8, 8 | A64 | LE),
            Word::ScmpArchMips64n32 => plain("SCMP_ARCH_MIPS64N32", 9, 8 | A64 | N32),
            Word::ScmpArchMipsel64n32 => plain("SCMP_ARCH_MIPSEL64N32", 9, 8 | A64 | LE | N32),
            Word::ScmpArchParisc => plain("SCMP_ARCH_PARISC", 10, 15),
            Word::ScmpArchParisc64 => plain("SCMP_ARCH_PARISC64", 11, 15 | A64),
            Word::ScmpArchPpc => plain("SCMP_ARCH_PPC", 12, 20).calls(0),
            Word::ScmpArchPpc64 => plain("SCMP_ARCH_PPC64", 13, 21 | A64).calls(0),
            Word::ScmpArchPpc64le => plain("SCMP_ARCH_PPC64LE", 13, 21 | A64 | LE).calls(0),
            Word::ScmpArchRiscv64 => plain("SCMP_ARCH_RISCV64", 14, 243 | A64 | LE),
            Word::ScmpArchS390 => plain("SCMP_ARCH_S390", 15, 22).calls(0).odd(Oddity::Hidden),
            Word::ScmpArchS390x => {
                let whole = plain("SCMP_ARCH_S390X", 16, 22 | A64);
                whole.calls(0).odd(Oddity::Hidden)
            }
            Word::ScmpArchSh => plain("SCMP_ARCH_SH", 17, 42 | LE).calls(0),
            Word::ScmpArchSheb => plain("SCMP_ARCH_SHEB", 17, 42).calls(0),
            // The native one is never called native, so this ends.
            Word::ScmpArchNative => Arch::of(native, NATIVE),
        }
    }

    /// Whether a number is far above all others on purpose.
    pub(super) fn is_private(self, number: u32) -> bool {
        self.oddity == Oddity::Private && number >= ARM_PRIVATE
    }

    const fn calls(self, base: u32) -> Arch {
        Arch {
            multiplexed: Some((base + 102, base + 117)),
            ..self
        }
    }

    const fn odd(self, oddity: Oddity) -> Arch {
        Arch { oddity, ..self }
    }
}

const fn plain(name: &'static str, column: usize, audit: u32) -> Arch {
    let little = audit & LE != 0;
    let whole = audit & A64 != 0 && audit & N32 == 0;
    Arch {
        name,
        column,
        audit,
        bit: 0,
        width: if whole { Width::Whole } else { Width::Half },
        order: if little { Order::Little } else { Order::Big },
        multiplexed: None,
        oddity: Oddity::None,
    }
}

/// The kernel tells it from x86_64 by the number of the syscall alone.
const fn x32() -> Arch {
    Arch {
        bit: X32_BIT,
        width: Width::Half,
        ..plain("SCMP_ARCH_X32", 2, AUDIT_X86_64)
    }
}

/// linux/net.h, `SYS_*`.
pub(super) const SOCKET_CALLS: [(&str, u8); 20] = [
    ("accept", 5),
    ("accept4", 18),
    ("bind", 2),
    ("connect", 3),
    ("getpeername", 7),
    ("getsockname", 6),
    ("getsockopt", 15),
    ("listen", 4),
    ("recv", 10),
    ("recvfrom", 12),
    ("recvmmsg", 19),
    ("recvmsg", 17),
    ("send", 9),
    ("sendmmsg", 20),
    ("sendmsg", 16),
    ("sendto", 11),
    ("setsockopt", 14),
    ("shutdown", 13),
    ("socket", 1),
    ("socketpair", 8),
];

/// linux/ipc.h.
pub(super) const IPC_CALLS: [(&str, u8); 12] = [
    ("msgctl", 14),
    ("msgget", 13),
    ("msgrcv", 12),
    ("msgsnd", 11),
    ("semctl", 3),
    ("semget", 2),
    ("semop", 1),
    ("semtimedop", 4),
    ("shmat", 21),
    ("shmctl", 24),
    ("shmdt", 22),
    ("shmget", 23),
];

const fn native() -> Word {
    let little = cfg!(target_endian = "little");
    if cfg!(target_arch = "x86_64") {
        if cfg!(target_pointer_width = "32") {
            Word::ScmpArchX32
        } else {
            Word::ScmpArchX86_64
        }
    } else if cfg!(target_arch = "x86") {
        Word::ScmpArchX86
    } else if cfg!(target_arch = "aarch64") {
        Word::ScmpArchAarch64
    } else if cfg!(target_arch = "arm") {
        Word::ScmpArchArm
    } else if cfg!(target_arch = "riscv64") {
        Word::ScmpArchRiscv64
    } else if cfg!(target_arch = "loongarch64") {
        Word::ScmpArchLoongarch64
    } else if cfg!(target_arch = "s390x") {
        Word::ScmpArchS390x
    } else if cfg!(target_arch = "powerpc64") {
        if little {
            Word::ScmpArchPpc64le
        } else {
            Word::ScmpArchPpc64
        }
    } else if cfg!(target_arch = "mips64") {
        if little {
            Word::ScmpArchMipsel64
        } else {
            Word::ScmpArchMips64
        }
    } else {
        panic!("src/plan/seccomp/arch.rs does not know this architecture")
    }
}
