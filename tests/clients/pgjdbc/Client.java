import java.sql.*;

/** pgjdbc: a prepared statement, a batch, a fetch size, the catalog's tables, columns and keys, an error's code. */
public class Client {
    public static void main(String[] words) throws SQLException {
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
            + System.getenv("PGDATABASE") + "?sslmode=disable";
        try (Connection connection = DriverManager.getConnection(
                url, System.getenv("PGUSER"), System.getenv("PGPASSWORD"))) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE SCHEMA jdbc");
                statement.execute("CREATE TABLE jdbc.t (n INTEGER NOT NULL, word VARCHAR(10), PRIMARY KEY (n))");
            }
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO jdbc.t VALUES (?, ?)")) {
                for (int number = 0; number < 20; number++) {
                    insert.setInt(1, number);
                    insert.setString(2, "é" + number);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            connection.commit();
            int rows = 0;
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(7);
                ResultSet found = statement.executeQuery("SELECT n, word FROM jdbc.t ORDER BY n");
                while (found.next()) rows++;
            }
            DatabaseMetaData catalog = connection.getMetaData();
            StringBuilder columns = new StringBuilder();
            ResultSet found = catalog.getColumns(null, "jdbc", "t", "%");
            while (found.next()) columns.append(found.getString("COLUMN_NAME")).append(" ");
            ResultSet keys = catalog.getPrimaryKeys(null, "jdbc", "t");
            String key = keys.next() ? keys.getString("COLUMN_NAME") : "";
            String error = "";
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("SELECT missing FROM jdbc.t");
            } catch (SQLException failed) {
                error = failed.getSQLState();
            }
            System.out.printf("{\"rows\": %d, \"columns\": \"%s\", \"key\": \"%s\", \"error\": \"%s\"}%n",
                rows, columns.toString().trim(), key, error);
        }
    }
}
