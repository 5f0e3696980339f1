//! argv → [`Request`] → one call into `life/` → exit code.

#![no_main]

use orbital::backend::{self, ask, engine, inherit, protect};
use orbital::cli::front::{self, Meaning};
use orbital::cli::log::{self, Log};
use orbital::cli::{self, Global, Request, trace};
use orbital::error::{Error, Result};
use orbital::life::{
    checkpoint, create, delete, events, exec, features, kill, list, pause, plan, ps, restore, run,
    start, state, update,
};
use orbital::state::Home;
use orbital::sys::heap::Sealable;
use orbital::sys::start::Beginning;
use std::ffi::OsString;
use std::io::Write;

#[global_allocator]
static HEAP: Sealable = Sealable;

/// What a verb leaves for the terminal.
#[derive(Default)]
struct Outcome {
    text: Option<String>,
    status: i32,
    warnings: Vec<String>,
}

orbital::entry!(program);

/// Exit status of a command that could not be carried out.
const FAILURE: i32 = 1;

/// The same for `exec`, where 1 may be the program's own.
const NOT_EXECUTED: i32 = 255;

/// Of what the engine itself cannot do; as its own.
const ENGINE_FAILURE: i32 = 125;

fn program(beginning: Beginning) -> i32 {
    let argv = orbital::sys::start::arguments();
    let whose = match hand_over(argv) {
        Whose::HandedOver(status) => return status,
        whose => whose,
    };
    // Before anything else, since it may throw away what has been done so far.
    protect::early(beginning);
    let words = front::strict(argv).unwrap_or(argv.get(1..).unwrap_or_default());
    let typed = argv.first().into_iter().chain(words).cloned();
    let (global, mut request) = match cli::parse(typed) {
        Ok(parsed) => parsed,
        Err(misuse) => {
            let error = match whose {
                Whose::OfAnAbsentEngine => {
                    cli::misuse::without_engine(misuse.error, engine::ABSENT)
                }
                _ => misuse.error,
            };
            log::report(&misuse.global, &error);
            return FAILURE;
        }
    };
    let handed_over = match &mut request {
        Request::Create(create) | Request::Run { create, .. } => {
            inherit::inherit(create, || home(&global))
        }
        Request::Exec(request) => inherit::check_open(0, request.preserve_fds),
        _ => Ok(()),
    };
    let failure = match request {
        Request::Exec(_) => NOT_EXECUTED,
        _ => FAILURE,
    };
    if let Err(error) = handed_over {
        log::report(&global, &error);
        return failure;
    }
    let opened = Log::open(&global);
    let log = match opened.and_then(|log| trace::begin(&global, &log).map(|()| log)) {
        Ok(log) => log,
        Err(error) => {
            log::report(
                &Global {
                    log: None,
                    ..global
                },
                &error,
            );
            return failure;
        }
    };
    match carry_out(&global, &request) {
        Ok(outcome) => finish(&log, outcome),
        Err(error) => {
            log.report(&error);
            failure
        }
    }
}

/// Whose a command line is, and what became of it.
enum Whose {
    /// This program's.
    Runtimes,
    /// The engine's, which could not take this program's place: the exit status.
    HandedOver(i32),
    /// The engine's, and there is none: the runtime goes on, and knows what to say of what is none of its own.
    OfAnAbsentEngine,
}

/// Gives the engine what is its own. It takes this program's place.
fn hand_over(argv: &[OsString]) -> Whose {
    if front::strict(argv).is_some() || front::meaning(argv, &engine::Here) == Meaning::Runtime {
        return Whose::Runtimes;
    }
    let Some(error) = engine::execute(argv.get(1..).unwrap_or_default()) else {
        return Whose::OfAnAbsentEngine;
    };
    log::report(&Global::default(), &error);
    Whose::HandedOver(ENGINE_FAILURE)
}

/// Where containers are remembered: `--root`, else this user's own place.
fn home(global: &Global) -> Result<Home> {
    match &global.root {
        Some(root) => Home::at(root),
        None => ask::home().map(Home::own),
    }
}

fn carry_out(global: &Global, request: &Request) -> Result<Outcome> {
    let home = || home(global);
    let verbosity = global.verbosity;
    let warned = |warnings| Outcome {
        warnings,
        ..Outcome::default()
    };
    let said = |text| Outcome {
        text: Some(text),
        ..Outcome::default()
    };
    match request {
        Request::Create(request) => create::create(request, &home()?, verbosity).map(warned),
        Request::Start(id) => start::start(id, &home()?).map(|()| Outcome::default()),
        Request::State(id) => state::state(id, &home()?).map(said),
        Request::Kill { id, signal, reach } => {
            kill::kill(id, *signal, *reach, &home()?).map(|()| Outcome::default())
        }
        Request::Exec(request) => exec::exec(request, &home()?, verbosity).map(ended),
        Request::Delete { id, force } => delete::delete(id, *force, &home()?).map(warned),
        Request::Run {
            create,
            attendance,
            afterwards,
        } => run::run(create, *attendance, *afterwards, &home()?, verbosity).map(ended),
        Request::Ps {
            id,
            format,
            options,
        } => ps::ps(id, *format, options, &home()?).map(said),
        Request::Events { id, watch } => {
            events::events(id, *watch, &home()?).map(|()| Outcome::default())
        }
        Request::Pause(id) => pause::pause(id, &home()?).map(|()| Outcome::default()),
        Request::Resume(id) => pause::resume(id, &home()?).map(|()| Outcome::default()),
        Request::Checkpoint(request) => checkpoint::checkpoint(request, &home()?).map(warned),
        Request::Restore(request) => restore::restore(request, &home()?).map(ended),
        Request::Update(request) => update::update(request, &home()?).map(warned),
        Request::List(format) => list::list(*format, &home()?).map(|(text, warnings)| Outcome {
            text: Some(text),
            warnings,
            status: 0,
        }),
        Request::Spec { bundle, whom } => {
            ask::write_first_config(bundle, *whom).map(|()| Outcome::default())
        }
        Request::Features => Ok(said(format!("{:#}", features::features()))),
        Request::Plan {
            bundle,
            format,
            manager,
            platform,
        } => plan::plan(bundle, *format, *manager, *platform).map(said),
        Request::Print(text) => Ok(said(text.clone())),
    }
}

/// A process in the foreground has.
fn ended((status, warnings): (i32, Vec<String>)) -> Outcome {
    Outcome {
        status,
        warnings,
        text: None,
    }
}

fn finish(log: &Log, outcome: Outcome) -> i32 {
    for warning in &outcome.warnings {
        log.warn(warning);
    }
    if let Some(text) = outcome.text.filter(|text| !text.is_empty()) {
        let line = text.trim_end_matches('\n').to_owned() + "\n";
        let written = std::io::stdout().write_all(line.as_bytes());
        // A reader that closed its end has read enough; a full disk has not.
        if let Err(error) = written.and_then(|()| std::io::stdout().flush())
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            log.report(&Error::io(
                "write the answer",
                "standard output",
                "write",
                &error,
            ));
            return FAILURE;
        }
    }
    backend::exit_status(outcome.status)
}
