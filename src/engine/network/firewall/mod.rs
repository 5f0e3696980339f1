//! The firewall of all networks: one table of our own, `inet orbital`, made anew from the records and exchanged in one
//! transaction whenever they change. No other table is touched, and no rule is ever looked for in order to be removed.
//!
//! ```text
//!  raw          what is sent straight to a container from another device: dropped
//!  prerouting ┐
//!  output     ┴─ published    a port of the host's → address and port of the container
//!  forward      ─ to-BRIDGE   established, the same bridge, published; then drop
//!  postrouting  containers leave under the host's address; so do those that call a port of their own network
//! ```
//!
//! What it does not do: the ports of the loopback device. Those would need route_localnet, which opens the host's own
//! loopback services to its neighbours (CVE-2020-8558); `proxy` serves them.

/// What the table holds: a function of the records.
pub mod rules;

/// One condition or action, in words and in the kernel's attributes.
pub mod part;

use super::ledger::Book;
use super::record::Record;
use crate::error::{Error, Object, Result};
use crate::sys::Fault;
use crate::sys::netlink::Attributes;
use crate::sys::netlink::filter::{self, Act};
use rules::{Hook, Table};

/// The name of our table.
pub const TABLE: &str = "orbital";

/// Puts into force what the records say; without any container there is no table.
///
/// # Errors
/// What the kernel refuses, and what it may lack for it. The table is as it was then.
pub fn apply(networks: &[Record], book: &Book) -> Result<()> {
    let acts = match rules::table(networks, book) {
        Some(table) => exchange(&table),
        None => remove(),
    };
    filter::commit(&acts).map_err(cannot)
}

fn cannot(fault: Fault) -> Error {
    let errno = fault.errno;
    let error = Error::new(
        "set the firewall of the networks",
        Object::Nothing,
        fault.into(),
    );
    match errno {
        libc::EPROTONOSUPPORT | libc::EOPNOTSUPP | libc::ENOENT => error.hint(
            "the kernel needs nf_tables with nft_nat, nft_masq, nft_ct and nft_fib_inet; or use --network none or host",
        ),
        libc::EPERM => error.hint("networks need root; users have pasta or slirp4netns, or use --network none or host"),
        _ => error,
    }
}

/// Made, so that it can be removed whether it was there or not.
fn remove() -> Vec<(Act, Attributes)> {
    let table = Attributes::default().text(1, TABLE);
    vec![(Act::AddTable, table.clone()), (Act::DeleteTable, table)]
}

/// NFTA_CHAIN_TABLE, NAME, HOOK (HOOKNUM, PRIORITY), POLICY, TYPE; NFTA_RULE_TABLE, CHAIN, EXPRESSIONS, USERDATA.
fn exchange(table: &Table) -> Vec<(Act, Attributes)> {
    let mut acts = remove();
    acts.push((Act::AddTable, Attributes::default().text(1, TABLE)));
    for chain in &table.chains {
        let mut made = Attributes::default().text(1, TABLE).text(3, &chain.name);
        if let Some(hook) = chain.hook {
            made = hooked(made, hook);
        }
        acts.push((Act::AddChain, made));
    }
    for rule in &table.rules {
        let mut expressions = Attributes::default();
        for part in &rule.parts {
            expressions = part.encode(expressions);
        }
        let mut made = Attributes::default()
            .text(1, TABLE)
            .text(2, &rule.chain)
            .nested(4, &expressions);
        if let Some(comment) = comment(&rule.comment) {
            made = made.with(7, &comment);
        }
        acts.push((Act::AddRule, made));
    }
    acts
}

fn hooked(chain: Attributes, hook: Hook) -> Attributes {
    let at = Attributes::default()
        .big(1, hook.number)
        .big(2, hook.priority.cast_unsigned());
    // Policy 1 accepts: whatever is not ours is not our business.
    chain.nested(4, &at).big(5, 1).text(7, hook.kind)
}

/// As nft writes and shows it: type 0, a length, the text with its end mark; at most 128 bytes.
fn comment(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    let text = text.get(..text.len().min(120))?;
    let length = u8::try_from(text.len() + 1).ok()?;
    (!text.is_empty()).then(|| [&[0, length], text, b"\0"].concat())
}

/// Chains of others that drop forwarded packets where no rule of theirs says otherwise, in words. An accept of ours does
/// not overrule them.
#[must_use]
pub fn obstacles() -> Vec<String> {
    let all = filter::hooked().unwrap_or_default();
    let forward = all
        .into_iter()
        .filter(|chain| chain.hook == 2 && chain.policy == 0 && [1, 2].contains(&chain.family));
    let words = forward.map(|chain| {
        let family = if chain.family == 1 { "inet" } else { "ip" };
        let (table, name) = (&chain.table, &chain.name);
        format!("the chain {name} of the host's table {family} {table} drops what it does not know, which may keep packets from containers")
    });
    words.collect()
}

#[cfg(test)]
mod tests;
