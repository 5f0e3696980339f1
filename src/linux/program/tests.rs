use super::*;

fn told(head: &[u8], errno: i32, there: &[&str]) -> String {
    let has = |path: &str| there.contains(&path);
    let place = Place {
        words: "in the root file system",
        has: &has,
    };
    advice("/bin/x", head, errno, place).unwrap_or_default()
}

/// An ELF file of 64 bits for this number, with a loader where there is one.
fn elf(machine: u16, loader: &str) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    bytes[32] = 64;
    bytes[54] = 56;
    bytes[56] = 1;
    let mut entry = vec![0; 56];
    entry[0] = 3;
    entry[8] = 120;
    bytes.extend(entry);
    bytes.extend(loader.bytes().chain([0]));
    bytes
}

#[test]
fn the_first_line_of_a_script_is_read() {
    let line = b"#! /usr/bin/env -S deno\n";
    let text = told(line, libc::ENOENT, &[]);
    assert_eq!(
        text,
        "install /usr/bin/env in the root file system: the first line of /bin/x names it"
    );
    assert_eq!(told(line, libc::ENOENT, &["/usr/bin/env"]), "");
    assert!(told(b"#!/bin/sh\r\necho\r\n", libc::ENOENT, &["/bin/sh"]).contains("carriage return"));
    assert!(told(b"\xef\xbb\xbf#!/bin/sh\n", libc::ENOEXEC, &[]).contains("byte order mark"));
}

#[test]
fn a_program_of_another_machine_is_named() {
    let text = told(&elf(243, ""), libc::ENOEXEC, &[]);
    assert!(text.ends_with("it is for riscv64"), "{text}");
    assert!(told(&elf(0xfff, ""), libc::ENOEXEC, &[]).ends_with("another one"));
}

#[test]
#[cfg(target_endian = "little")]
fn a_loader_that_is_missing_is_named() {
    let bytes = elf(62, "/lib64/ld.so");
    assert!(told(&bytes, libc::ENOENT, &[]).starts_with("install /lib64/ld.so in"));
    assert_eq!(told(&bytes, libc::ENOENT, &["/lib64/ld.so"]), "");
}

#[test]
fn nothing_is_said_of_what_is_not_understood() {
    for length in 0..elf(62, "/lib64/ld.so").len() {
        let mut bytes = elf(62, "/lib64/ld.so");
        bytes.truncate(length);
        told(&bytes, libc::ENOENT, &[]);
        told(&bytes, libc::ENOEXEC, &[]);
    }
    for head in [
        &b"echo hello\n"[..],
        b"#!\n",
        b"#!\x1b[2J\n",
        b"#!\xff\n",
        b"#!",
    ] {
        assert_eq!(told(head, libc::ENOENT, &[]), "", "{head:?}");
    }
}
