use super::*;
use crate::plan::sample::{request, spec, told};
use serde_json::{Value, json};

fn planned(process: Value, socket: Option<&str>) -> Result<Console> {
    let request = Create {
        console_socket: socket.map(Into::into),
        ..request()
    };
    plan(&spec(json!({ "process": process })), &request)
}

#[test]
fn the_size_counts_only_with_a_terminal() {
    for (process, expected) in [
        (json!({}), Console::Streams),
        (
            json!({"terminal": false, "consoleSize": {"height": 70000, "width": 1}}),
            Console::Streams,
        ),
        (json!({"terminal": true}), Console::Terminal { size: None }),
        (
            json!({"terminal": true, "consoleSize": {"height": 0, "width": 0}}),
            Console::Terminal { size: None },
        ),
        (
            json!({"terminal": true, "consoleSize": {"height": 25, "width": 80}}),
            Console::Terminal {
                size: Some((25, 80)),
            },
        ),
        (
            json!({"terminal": true, "consoleSize": {"height": 65535, "width": 0}}),
            Console::Terminal {
                size: Some((65535, 0)),
            },
        ),
    ] {
        assert_eq!(
            planned(process.clone(), None).unwrap(),
            expected,
            "{process}"
        );
    }
    for (name, other) in [("height", "width"), ("width", "height")] {
        let process = json!({"terminal": true, "consoleSize": {name: 65536, other: 1}});
        let (place, line) = told(&planned(process, None).unwrap_err());
        assert_eq!(place, format!("/process/consoleSize/{name}"), "{line}");
    }
}

#[test]
fn a_socket_without_a_terminal_is_refused() {
    assert!(planned(json!({"terminal": true}), Some("/run/c.sock")).is_ok());
    let (_, line) = told(&planned(json!({}), Some("/run/c.sock")).unwrap_err());
    assert_eq!(
        line,
        "cannot use the console socket: --console-socket /run/c.sock: refused: the process has no terminal whose other end \
         could be sent there (hint: set /process/terminal to true, or leave --console-socket out)"
    );
}
