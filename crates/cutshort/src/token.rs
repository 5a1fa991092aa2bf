//! `cutshort token`: who may use the API.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ColorChoice, Subcommand, ValueEnum};
use cutshort_api::{Scope, Token, TokenFile};
use cutshort_report::table::Table;

use crate::error::{Done, Error};
use crate::terminal::{self, message};

/// Make, list and revoke tokens of the API
#[derive(Subcommand)]
pub(crate) enum Tokens {
    /// Make a token and show it, once: only its hash is kept
    Create(Create),
    /// List tokens
    List(List),
    /// Revoke a token; a server that runs notices it
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct Create {
    /// What the token is called, such as the person or machine that uses it
    name: String,
    /// What it allows; repeat it for several
    #[arg(long, value_enum, required = true, value_name = "SCOPE")]
    scope: Vec<Allowed>,
    /// With --scope ingest: allow packets of this node only
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Folder of the store; made if it is missing
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
pub(crate) struct List {
    /// Folder of the store
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// What the token is called
    name: String,
    /// Folder of the store
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
        return Err(Error::Usage("give the token a name that can be read".to_owned()));
    }
    if let Some(node) = node {
        cutshort_store::check_node(node).map_err(Error::Usage)?;
        if !scope.contains(&Allowed::Ingest) {
            return Err(Error::Usage("--node is for tokens with --scope ingest".to_owned()));
        }
    }
    std::fs::create_dir_all(data).map_err(|error| Error::writing(data, &error))?;
    let (mut file, path) = read(data)?;
    let mut scopes: Vec<Scope> = Vec::new();
    for scope in scope.iter().copied().map(Scope::from) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let token = file.create(name, &scopes, node.as_deref(), &now).map_err(Error::Usage)?;
    file.write(&path).map_err(|error| Error::writing(&path, &error))?;
    terminal::print(color, |text| Ok(writeln!(text, "{token}")?))?;
    message(&"keep it well: it is not shown again. It is sent as 'Authorization: Bearer TOKEN'");
    Ok(Done::Whole)
}

fn list(arguments: &List, color: ColorChoice) -> Result<Done, Error> {
    let (file, _) = read(&arguments.data)?;
    if file.token.is_empty() {
        message(&"there is no token; 'cutshort token create' makes one");
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
        return Err(Error::Failed(format!("no token is called '{}'; there are: {there}", arguments.name)));
    }
    file.write(&path).map_err(|error| Error::writing(&path, &error))?;
    message(&format!("the token '{}' is revoked", arguments.name));
    Ok(Done::Whole)
}
