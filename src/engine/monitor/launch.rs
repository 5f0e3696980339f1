//! From the record to a running program: root, volumes, config.json, `create`, network, `start`.

use super::log::Log;
use super::net::Net;
use super::peers::Peers;
use super::serve::{self, Launched};
use super::streams::{self, Streams};
use super::{holder, listen};
use crate::engine::bundle::{self, Ground};
use crate::engine::container::file::{make_private, replace};
use crate::engine::container::record::{Born, Record};
use crate::engine::container::shelf::Shelf;
use crate::engine::container::wish::Switch;
use crate::engine::places::{Who, who};
use crate::engine::rootfs::{self, Rooted, owners};
use crate::engine::runtime::{self, Runtime};
use crate::engine::wire::Frame;
use crate::engine::{Failed, ids, inside, volume};
use crate::error::{Error, Result};
use crate::sys::path::{self, Leaf, Links};
use crate::sys::{clock, copy, pidfd};
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Does all of it. Whatever fails, [`super::end::finish`] takes back.
///
/// # Errors
/// Each part's own; 126 and 127 where the program cannot be run.
pub(super) fn launch(
    shelf: &Shelf,
    record: &mut Record,
    peers: &mut Peers,
) -> std::result::Result<Launched, Failed> {
    let here = shelf.run_folder(&record.id);
    let bundle = here.join("bundle");
    make_private(&bundle)?;
    ids::settle(shelf, record)?;
    let mut net = Net::connect(shelf, record)?;
    for note in net.notes() {
        peers.tell(Frame::Note(note.as_bytes()));
    }
    let told = net.told();
    shelf.change(&record.id, |record| record.life.network = told)?;
    rootfs::own_mounts(shelf)?;
    let rooted = rootfs::prepare(shelf, record)?;
    let volumes = volumes(shelf, record, &rooted)?;
    let ground = ground(shelf, record, &rooted, volumes, &net)?;
    let config = bundle::config(record, &ground)?;
    replace(
        &bundle.join("config.json"),
        &serde_json::to_vec_pretty(&config).unwrap_or_default(),
    )?;
    workdir(record, &rooted)?;
    let listener = listen(shelf, record)?;
    let runtime = Runtime::find(shelf)?;
    let (streams, pid) = create(&runtime, record, &here)?;
    let pidfd =
        pidfd::open(pid).map_err(|fault| Error::file("watch the container", &here, fault))?;
    let process = Born::of(pid);
    shelf.change(&record.id, |record| record.life.process = process)?;
    let mut launched = Launched {
        pid,
        pidfd,
        listener,
        streams,
        log: Log::open(&shelf.log(&record.id), &record.wish),
    };
    // Who looks on from the beginning, and how large the terminal is, must be known before the first byte.
    for index in 0..peers.all.len() {
        serve::hear(&mut launched, peers, index);
    }
    net.join(pid)?;
    net.release();
    start(&runtime, shelf, record, &here)?;
    if let Some(file) = &record.wish.pid_file {
        replace(file, format!("{pid}\n").as_bytes())?;
    }
    Ok(launched)
}

fn start(
    runtime: &Runtime,
    shelf: &Shelf,
    record: &Record,
    here: &Path,
) -> std::result::Result<(), Failed> {
    let log = here.join("runtime.log");
    let status = runtime.logged(&log, &["start", &record.id]).status();
    let status = status.map_err(|error| runtime.not_started(&error))?;
    if !status.success() {
        return Err(runtime::told(&log, "start the container"));
    }
    shelf.change(&record.id, |record| {
        record.life.started = clock::now_rfc3339()
    })?;
    Ok(())
}

fn create(
    runtime: &Runtime,
    record: &Record,
    here: &Path,
) -> std::result::Result<(Streams, i32), Failed> {
    let (bundle, pid_file) = (here.join("bundle"), here.join("pid"));
    let (log, socket) = (here.join("runtime.log"), here.join("console"));
    let (bundle, pid_text) = (bundle.to_string_lossy(), pid_file.to_string_lossy());
    let console = socket.to_string_lossy();
    let mut words = vec!["create", "--bundle", &bundle, "--pid-file", &pid_text];
    let terminal = record.wish.has(Switch::Terminal);
    if terminal {
        words.extend(["--console-socket", &console]);
    }
    words.push(&record.id);
    let mut call = runtime.logged(&log, &words);
    call.env_clear();
    for name in ["PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"] {
        call.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let (streams, listener) = match terminal {
        true => (
            Streams::default(),
            Some(streams::console(&socket, &mut call)?),
        ),
        false => (streams::pipes(&record.wish, &mut call)?, None),
    };
    let status = call.status().map_err(|error| runtime.not_started(&error))?;
    // The call still has the container's ends of the pipes.
    drop(call);
    if !status.success() {
        return Err(runtime::told(&log, "create the container"));
    }
    let streams = match listener {
        Some(listener) => listener.receive()?,
        None => streams,
    };
    let text = std::fs::read_to_string(&pid_file)
        .map_err(|error| Error::io("read the container's pid", &pid_file, "openat", &error))?;
    Ok((streams, text.trim().parse().unwrap_or_default()))
}

/// Volumes made and, where they are new, filled with what the image has at their place.
fn volumes(
    shelf: &Shelf,
    record: &mut Record,
    rooted: &Rooted,
) -> Result<BTreeMap<String, PathBuf>> {
    let made = volume::of_container(&shelf.places, record)?;
    let (mounts, own) = (record.wish.mounts.clone(), record.life.own_volumes.clone());
    shelf.change(&record.id, |record| {
        record.wish.mounts = mounts;
        record.life.own_volumes = own;
    })?;
    for (target, source, made) in &made {
        if *made == volume::Made::Now {
            owners::of_root(&record.ids, source)?;
            fill(rooted, target, source)?;
        }
    }
    Ok(made
        .into_iter()
        .map(|(target, source, _)| (target, source))
        .collect())
}

fn fill(rooted: &Rooted, target: &str, source: &Path) -> Result<()> {
    let target = CString::new(target).unwrap_or_default();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let Ok(from) = path::open_file(rooted.fd.as_fd(), &target, flags) else {
        return Ok(());
    };
    let to = std::fs::File::open(source)
        .map_err(|error| Error::io("open a volume", source, "openat", &error))?;
    copy::content(from.as_fd(), to.as_fd(), copy::Top::Own)
        .map_err(|fault| Error::file("copy the image's files into the volume", source, fault))
}

fn ground<'a>(
    shelf: &Shelf,
    record: &Record,
    rooted: &'a Rooted,
    volumes: BTreeMap<String, PathBuf>,
    net: &Net,
) -> Result<Ground<'a>> {
    let mut others = BTreeMap::new();
    let modes = record.wish.namespaces.values().map(String::as_str);
    for other in modes.filter_map(|mode| mode.strip_prefix("container:")) {
        if let Some(process) = shelf.find(other)?.running() {
            others.insert(other.to_owned(), process.pid);
        }
    }
    let network = net.namespace(shelf)?;
    if let Some(path) = network
        .as_ref()
        .filter(|path| who() == Who::User && path.is_absolute())
    {
        holder::enter(path)?;
    }
    Ok(Ground {
        root: &rooted.fd,
        path: &rooted.path,
        others,
        volumes,
        images: rootfs::images(shelf, record)?,
        ids: record.ids.clone(),
        files: files(shelf, record, net)?,
        network,
        who: who(),
        last_gid: inside::last("gid"),
        program: std::env::current_exe().map_err(|error| {
            Error::io("find this program", "/proc/self/exe", "readlink", &error)
        })?,
    })
}

/// Files of the engine's own that lie over the container's.
fn files(shelf: &Shelf, record: &Record, net: &Net) -> Result<Vec<(PathBuf, &'static str)>> {
    let hostname = match record.wish.hostname.as_str() {
        "" => record.short(),
        given => given,
    };
    let path = shelf.run_folder(&record.id).join("hostname");
    replace(&path, format!("{hostname}\n").as_bytes())?;
    let mut all = vec![(path, "/etc/hostname")];
    all.extend(net.files());
    for (path, _) in &all {
        readable(path)?;
    }
    let zone = match record.wish.time_zone.as_str() {
        "" => None,
        "local" => std::fs::canonicalize("/etc/localtime").ok(),
        name => Some(Path::new("/usr/share/zoneinfo").join(name)),
    };
    all.extend(zone.map(|zone| (zone, "/etc/localtime")));
    Ok(all)
}

/// The container's users may read it.
fn readable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
        .map_err(|error| Error::io("make a file readable", path, "chmod", &error))
}

/// The directory in which the program starts is made where it is missing, as docker does.
fn workdir(record: &Record, rooted: &Rooted) -> Result<()> {
    let wanted = record.wish.workdir.as_str();
    if wanted.is_empty() || wanted == "/" {
        return Ok(());
    }
    let target = CString::new(wanted).unwrap_or_default();
    match path::find_or_make(
        rooted.fd.as_fd(),
        &target,
        Links::Inside,
        Leaf::Directory(0o755),
    ) {
        // The runtime says what is wrong with a root that cannot be written.
        Ok(_) => Ok(()),
        Err(fault) if fault.errno == libc::EROFS => Ok(()),
        Err(fault) => Err(Error::file("make the working directory", wanted, fault)),
    }
}
