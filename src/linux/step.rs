//! Every step of the child, in order. The declaration is the order: number, name and words of a
//! step come from here alone, `orbital plan` prints this table, and a failure names its line.

macro_rules! steps {
    ($($number:literal $variant:ident $words:literal : $why:literal;)+) => {
        /// A step of the child.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Step { $(#[doc = $why] $variant = $number),+ }

        impl Step {
            /// All steps, in the order in which the child takes them.
            pub const ALL: &[Step] = &[$(Step::$variant),+];

            /// How many steps there are.
            pub const COUNT: u8 = [$(Step::$variant as u8),+][Step::ALL.len() - 1];

            /// What the step does, in words that complete "cannot …".
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Step::$variant => $words),+ }
            }

            /// Why it stands where it stands.
            #[must_use]
            pub const fn why(self) -> &'static str {
                match self { $(Step::$variant => $why),+ }
            }

            /// The step's own name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Step::$variant => stringify!($variant)),+ }
            }
        }
    };
}

steps! {
     1 SealHeap        "seal the heap": "before anything could allocate";
     2 Mapped          "pass gate A": "no id means anything before the parent has written the maps";
     3 Clocks          "set the clocks": "offsets are frozen once a process is in; before anything takes rights or /proc away";
     4 Join            "join the namespaces": "a mount namespace is joined by the child itself, as it takes the root with it";
     5 BecomeRoot      "become root inside": "files made from here on belong to the container's root";
     6 Unshare         "unshare the cgroup namespace": "its root is the group we are in now";
     7 Session         "begin a session": "the caller's terminal and keyring must not be inherited";
     8 Propagation     "set the propagation of /": "before the first mount, or the host sees it";
     9 Root            "mount the root file system": "pivot_root wants a mount point";
    10 Network         "enter the network namespace": "made by a thread meanwhile, so as late as can be: sysfs shows its devices";
    11 Mount           "carry out the mounts": "in the order of /mounts, as later ones may lie in earlier ones";
    12 Devices         "make the devices": "a mount may have covered /dev";
    13 Console         "attach the console": "needs the container's own devpts";
    14 Mounted         "pass gates B and C": "prestart and createRuntime hooks run between them";
    15 CreateContainer "run the createContainer hooks": "new namespaces, old root";
    16 Pivot           "pivot into the root file system": "the host's files are out of reach from here on";
    17 RootFlags       "set the flags of the root file system": "read-only only after the last mount point was made";
    18 Stdio           "move the standard streams onto the container's null": "no descriptor of the host's /dev remains";
    19 Sysctl          "write the sysctls": "through the host's proved procfs, into our own namespaces";
    20 ReadOnly        "make the read-only paths": "after sysctl, which may lie below them";
    21 Mask            "mask the masked paths": "after read-only, which may lie above them";
    22 Hostname        "set the host name": "in our own UTS namespace";
    23 Domainname      "set the domain name": "in our own UTS namespace";
    24 Personality     "set the personality": "inherited by execve";
    25 Scheduling      "set the scheduling": "while the capabilities for it are held";
    26 SecurityLabel   "set the security label": "through the host's proved procfs, and for execve alone";
    27 NoNewPrivs      "set no_new_privs": "before the ids change; execve grants nothing from here on";
    28 SeccompEarly    "load the seccomp filter": "without no_new_privs it needs CAP_SYS_ADMIN, which goes below";
    29 Bounding        "limit the bounding set": "while CAP_SETPCAP is held";
    30 Ids             "change to the process's user": "groups, gid, uid in this order; capabilities kept across it";
    31 Capabilities    "set the capabilities": "ambient last, as it needs permitted and inheritable";
    32 Cwd             "enter the working directory": "as the final user, and proved to be inside";
    33 Find            "find the program": "a missing one must fail create, not start";
    34 CloseOnExec     "mark the descriptors": "no descriptor leaks into the program";
    35 SeccompLate     "load the seccomp filter": "with no_new_privs: as late as the runtime can still be told";
    36 Ready           "pass gate D": "create may now succeed";
    37 Start           "wait at gate E": "for orbital start";
    38 StartContainer  "run the startContainer hooks": "the container's own files and environment";
    39 Execute         "execute the process": "never returns";
}

impl Step {
    /// The step with this number, 1 to [`Step::COUNT`].
    #[must_use]
    pub fn from_number(number: u8) -> Option<Step> {
        Step::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The step's number, from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::Step;

    #[test]
    fn numbers_follow_the_declaration() {
        for (index, step) in Step::ALL.iter().enumerate() {
            assert_eq!(usize::from(step.number()), index + 1, "{}", step.name());
            assert_eq!(Step::from_number(step.number()), Some(*step));
        }
        assert_eq!(Step::from_number(0), None);
        assert_eq!(Step::from_number(Step::COUNT + 1), None);
    }
}
