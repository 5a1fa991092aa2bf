//! `cutshort token`: who may use the API.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ColorChoice, Subcommand, ValueEnum};
use cutshort_api::{Scope, Token, TokenFile};
use cutshort_report::table::Table;

use crate::error::{Done, Error};
use crate::terminal::{self, message};

/// Create, list and revoke API tokens
#[derive(Subcommand)]
pub(crate) enum Tokens {
    /// Create a token and show it once: only its hash is stored
    Create(Create),
    /// List tokens
    List(List),
    /// Revoke a token; a running server notices at once
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct Create {
    /// Name of the token, such as the person or machine that uses it
    name: String,
    /// What the token allows; may be repeated
    #[arg(long, value_enum, required = true, value_name = "SCOPE")]
    scope: Vec<Allowed>,
    /// With --scope ingest: allow packets of this node only
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Directory of the store; created if missing
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
pub(crate) struct List {
    /// Directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// Name of the token
    name: String,
    /// Directory of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Allowed {
    /// Reading
    Read,
    /// Writing annotations
    Write,
    /// Sending packets
    Ingest,
}

impl From<Allowed> for Scope {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Read => Self::Read,
            Allowed::Write => Self::Write,
            Allowed::Ingest => Self::Ingest,
        }
    }
}

pub(crate) fn run(tokens: &Tokens, color: ColorChoice) -> Result<Done, Error> {
    match tokens {
        Tokens::Create(arguments) => create(arguments, color),
        Tokens::List(arguments) => list(arguments, color),
        Tokens::Revoke(arguments) => revoke(arguments),
    }
}

fn read(data: &std::path::Path) -> Result<(TokenFile, PathBuf), Error> {
    let path = TokenFile::path(data);
    let file = TokenFile::read(&path).map_err(|error| Error::Failed(error.to_string()))?;
    Ok((file, path))
}

fn create(arguments: &Create, color: ColorChoice) -> Result<Done, Error> {
    let Create { name, scope, node, data } = arguments;
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::Usage("give the token a printable name".to_owned()));
    }
    if let Some(node) = node {
        cutshort_store::check_node(node).map_err(Error::Usage)?;
        if !scope.contains(&Allowed::Ingest) {
            return Err(Error::Usage("--node is for tokens with --scope ingest".to_owned()));
        }
    }
    std::fs::create_dir_all(data).map_err(|error| Error::writing(data, &error))?;
    let (mut file, path) = read(data)?;
    let scopes: Vec<Scope> = scope.iter().copied().map(Scope::from).collect();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let token = file.create(name, &scopes, node.as_deref(), &now).map_err(Error::Usage)?;
    file.write(&path).map_err(|error| Error::writing(&path, &error))?;
    terminal::print(color, |text| Ok(writeln!(text, "{token}")?))?;
    message(&"keep it safe: it is not shown again. Send it as 'Authorization: Bearer TOKEN'");
    Ok(Done::Whole)
}

fn list(arguments: &List, color: ColorChoice) -> Result<Done, Error> {
    let (file, _) = read(&arguments.data)?;
    if file.token.is_empty() {
        message(&"there are no tokens; create one with 'cutshort token create'");
        return Ok(Done::Whole);
    }
    let row = |token: &Token| {
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.name()).collect();
        let node = token.node.clone().unwrap_or_default();
        vec![token.name.clone(), scopes.join(", "), node, token.created.clone()]
    };
    let table = Table::of_texts(&["name", "allows", "node", "created"], file.token.iter().map(row).collect());
    terminal::print(color, |text| Ok(table.write(terminal::width(), text)?))?;
    Ok(Done::Whole)
}

fn revoke(arguments: &Revoke) -> Result<Done, Error> {
    let (mut file, path) = read(&arguments.data)?;
    if !file.revoke(&arguments.name) {
        let names: Vec<&str> = file.token.iter().map(|token| token.name.as_str()).collect();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(Error::Failed(format!("no token '{}'; known: {there}", arguments.name)));
    }
    file.write(&path).map_err(|error| Error::writing(&path, &error))?;
    message(&format!("the token '{}' is revoked", arguments.name));
    Ok(Done::Whole)
}
