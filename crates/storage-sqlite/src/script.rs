//! Handing SQL to the connection that writes, in as few calls as possible: each is a round trip to the connection's own
//! thread, and two switches of threads cost more than inserting a row.
//!
//! Many rows go in by chunks of a few fixed sizes; a small transaction goes as one script, from `BEGIN` to `COMMIT`. Both
//! have few enough shapes that all of them stay prepared.

use std::sync::{Arc, OnceLock};

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe};

/// A prepared statement takes memory for each parameter, and a process may have hundreds of stores. The largest is only
/// prepared where as many rows come at once.
const SIZES: [usize; 3] = [64, 8, 1];

/// The statements of one transaction, in order.
pub struct Script<'c> {
    connection: &'c mut SqliteConnection,
    /// What waits to be run as one; none if each statement is run at once.
    gathered: Option<(String, Values)>,
}

/// The values of a statement, row after row.
#[derive(Default)]
pub struct Values(SqliteArguments);

/// An `INSERT` of any number of rows.
pub struct Insert {
    /// Up to and including `VALUES`.
    head: &'static str,
    columns: usize,
    tail: &'static str,
    sql: [OnceLock<Arc<str>>; SIZES.len()],
}

impl Values {
    pub fn add<'t, T>(&mut self, value: T) -> Result<&mut Self, BoxDynError>
    where
        T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.0.add(value)?;
        Ok(self)
    }
}

impl<'c> Script<'c> {
    /// `gather` only where shapes are few: the whole text of what is gathered is prepared, and kept.
    pub fn new(connection: &'c mut SqliteConnection, gather: bool) -> Self {
        Script { connection, gathered: gather.then(Default::default) }
    }

    pub async fn step(
        &mut self,
        sql: &'static str,
        bind: impl FnOnce(&mut Values) -> Result<(), BoxDynError> + Send,
    ) -> Result<(), sqlx::Error> {
        self.take(&Arc::from(sql), bind).await
    }

    async fn take(
        &mut self,
        sql: &Arc<str>,
        bind: impl FnOnce(&mut Values) -> Result<(), BoxDynError> + Send,
    ) -> Result<(), sqlx::Error> {
        if let Some((text, values)) = &mut self.gathered {
            text.push_str(sql);
            text.push(';');
            return bind(values).map_err(sqlx::Error::Encode);
        }
        let mut values = Values::default();
        bind(&mut values).map_err(sqlx::Error::Encode)?;
        sqlx::query_with(AssertSqlSafe(sql.clone()), values.0).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// Runs what waits. Every transaction ends with it.
    pub async fn flush(&mut self) -> Result<(), sqlx::Error> {
        if let Some((text, values)) = &mut self.gathered
            && !text.is_empty()
        {
            let (text, values) = (std::mem::take(text), std::mem::take(values));
            sqlx::query_with(AssertSqlSafe(text), values.0).execute(&mut *self.connection).await?;
        }
        Ok(())
    }

    /// For reading in the middle of a transaction.
    pub async fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.flush().await?;
        Ok(self.connection)
    }
}

impl Insert {
    pub const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Insert { head, columns, tail, sql: [const { OnceLock::new() }; SIZES.len()] }
    }

    pub async fn run<T: Sync>(
        &self,
        script: &mut Script<'_>,
        rows: &[T],
        bind: impl Fn(&T, &mut Values) -> Result<(), BoxDynError> + Send + Sync,
    ) -> Result<(), sqlx::Error> {
        let mut rest = rows;
        for (size, sql) in SIZES.iter().zip(&self.sql) {
            while let Some((chunk, later)) = rest.split_at_checked(*size) {
                rest = later;
                let all = |values: &mut Values| {
                    values.0.reserve(size * self.columns, 0);
                    chunk.iter().try_for_each(|row| bind(row, values))
                };
                script.take(sql.get_or_init(|| self.sql(*size)), all).await?;
            }
        }
        Ok(())
    }

    fn sql(&self, rows: usize) -> Arc<str> {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        format!("{}{}{}", self.head, vec![row.as_str(); rows].join(","), self.tail).into()
    }
}
