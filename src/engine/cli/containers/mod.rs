//! The verbs about containers, one file per noun or act. They read flags, find records, and let
//! `engine/front` and `engine/monitor` do the rest.

/// `run`.
mod run;

/// `start`, `restart`, `attach`.
mod start;

/// `exec`.
mod exec;

/// `ps`.
mod list;

/// `logs`.
mod logs;

/// `stop`, `kill`, `wait`, `pause`, `unpause`.
mod end;

/// `rm`, `prune`.
mod remove;

/// `inspect`, `port`, `top`, `rename`.
mod look;

/// `stats`.
mod stats;

/// `cp`.
mod cp;

/// `volume`.
mod volume;

/// `network`.
mod network;

/// `system`, `doctor`.
mod system;

/// Columns, and times as people say them.
mod table;

use super::Verb;

/// The verbs of this family.
pub(super) const VERBS: &[Verb] = &[
    run::RUN,
    start::START,
    end::STOP,
    start::RESTART,
    end::KILL,
    end::PAUSE,
    end::UNPAUSE,
    end::WAIT,
    remove::RM,
    remove::PRUNE,
];

/// Those that look into one.
pub(super) const INSIDE: &[Verb] = &[
    list::PS,
    logs::LOGS,
    exec::EXEC,
    start::ATTACH,
    cp::CP,
    look::TOP,
    stats::STATS,
    look::PORT,
    look::INSPECT,
    look::RENAME,
];

/// Those about what is around them.
pub(super) const AROUND: &[Verb] = &[
    volume::VOLUME,
    network::NETWORK,
    system::SYSTEM,
    system::DOCTOR,
];
