use super::*;

/// A user that nobody is.
const USER: u32 = 61234;

/// The part that the user does, as a process of its own: connects the namespaces of process ORBITAL_TRIAL_PID.
#[test]
#[ignore = "another trial starts it as a user"]
fn as_a_user() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let folder = std::path::PathBuf::from(variable("ORBITAL_TRIAL_FOLDER"));
    let places = Places {
        store: folder.join("store"),
        state: folder.join("state"),
    };
    let settings = Settings {
        gate: own("gate_keeper"),
        resolv: folder.join("of-the-host"),
        ..Settings::new(&places)
    };
    assert_eq!(settings.who, Who::User);
    if variable("ORBITAL_TRIAL_PID") == "disconnect" {
        return disconnect("mine", &settings).unwrap();
    }
    let container = Container {
        id: "mine".into(),
        host_name: "mine".into(),
        names: Vec::new(),
        files: folder.clone(),
        namespace: Owner::Container,
    };
    let network = plan(&published(&["8080:80"]), &settings).unwrap();
    let connected =
        connect(&network, &container, &settings).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(connected.namespace, Namespace::New);
    let pid = variable("ORBITAL_TRIAL_PID").parse().unwrap();
    join(&network, &container, pid, &settings).unwrap_or_else(|error| panic!("{error}"));
}

fn run_as_a_user(world: &World, pid: &str) {
    // The user must reach the program, which may lie in a folder of root's.
    let program = world.folder.path().join("trial");
    if !program.exists() {
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    }
    let output = Command::new("setpriv")
        .args([
            format!("--reuid={USER}"),
            format!("--regid={USER}"),
            "--clear-groups".into(),
        ])
        .arg(program)
        .args([
            "--exact",
            "engine::network::trial::user::as_a_user",
            "--ignored",
            "--nocapture",
        ])
        .env("ORBITAL_TRIAL_PID", pid)
        .env("ORBITAL_TRIAL_FOLDER", world.folder.path().join("user"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
fn pasta_connects_a_user_s_container() {
    on_a_host(&["setpriv"], |world| {
        if carrier::find(carrier::Choice::Pasta).is_err() {
            return eprintln!("skipped: it needs pasta");
        }
        let folder = world.folder.path().join("user");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("of-the-host"), "nameserver 127.0.0.53\n").unwrap();
        sh(&format!(
            "chown {USER} {0}; chmod 755 {1}",
            folder.display(),
            world.folder.path().display()
        ));
        // The device that udev lets every user open.
        sh(
            "mknod -m 666 /run/netns/tun c 10 200; chmod 666 /run/netns/tun; mount --bind /run/netns/tun /dev/net/tun",
        );
        let mut process = Command::new("setpriv")
            .args([
                format!("--reuid={USER}"),
                format!("--regid={USER}"),
                "--clear-groups".into(),
            ])
            .args(["unshare", "-Urn", "sleep", "60"])
            .spawn()
            .unwrap();
        let pid = i32::try_from(process.id()).unwrap();
        std::thread::sleep(Duration::from_millis(700));
        run_as_a_user(world, &pid.to_string());
        let proc = crate::sys::proc::Proc::open().unwrap();
        let namespace = proc.namespace_of(pid, c"net").unwrap();
        answer(&namespace, 80);
        answer(&world.outside, 7000);
        assert_eq!(call(&namespace, (OUTSIDE, 7000)).unwrap(), HOST);
        assert_eq!(call(&world.outside, (HOST, 8080)).unwrap(), OUTSIDE);
        assert_eq!(call(&here(), ("127.0.0.1", 8080)).unwrap(), "127.0.0.1");
        assert!(call(&world.outside, (HOST, 80)).is_err());
        let resolv = std::fs::read_to_string(folder.join("resolv.conf")).unwrap();
        assert_eq!(resolv, "nameserver 169.254.1.1\n");
        run_as_a_user(world, "disconnect");
        assert!(call(&world.outside, (HOST, 8080)).is_err());
        process.kill().unwrap();
        process.wait().unwrap();
    });
}
