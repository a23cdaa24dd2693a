//! Inserting many rows. Each statement is a round trip to the thread of its connection (5-10 us), so rows go in by
//! chunks of a few fixed sizes: few enough shapes that all of them stay prepared.

use std::sync::{Arc, OnceLock};

use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe};

/// Prepared statements take memory for each parameter, and a process may have hundreds of stores: no larger than pays.
const SIZES: [usize; 3] = [32, 4, 1];

/// An `INSERT` of any number of rows.
pub struct Insert {
    /// Up to and including `VALUES`.
    head: &'static str,
    columns: usize,
    tail: &'static str,
    sql: [OnceLock<Arc<str>>; SIZES.len()],
}

/// The values of one chunk, row after row.
pub struct Values(SqliteArguments);

impl Values {
    pub fn add<'t, T>(&mut self, value: T) -> Result<&mut Self, BoxDynError>
    where
        T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.0.add(value)?;
        Ok(self)
    }
}

impl Insert {
    pub const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Insert { head, columns, tail, sql: [const { OnceLock::new() }; SIZES.len()] }
    }

    pub async fn run<T: Sync>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(&T, &mut Values) -> Result<(), BoxDynError> + Send,
    ) -> Result<(), sqlx::Error> {
        let mut rest = rows;
        for (size, sql) in SIZES.iter().zip(&self.sql) {
            while let Some((chunk, later)) = rest.split_at_checked(*size) {
                rest = later;
                let mut values = Values(SqliteArguments::default());
                values.0.reserve(size * self.columns, 0);
                chunk.iter().try_for_each(|row| bind(row, &mut values)).map_err(sqlx::Error::Encode)?;
                let sql = sql.get_or_init(|| self.sql(*size)).clone();
                sqlx::query_with(AssertSqlSafe(sql), values.0).execute(&mut *connection).await?;
            }
        }
        Ok(())
    }

    fn sql(&self, rows: usize) -> Arc<str> {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        format!("{}{}{}", self.head, vec![row.as_str(); rows].join(","), self.tail).into()
    }
}
