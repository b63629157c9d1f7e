import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * Records a history for Lawspeaker: {@code java Recorder.java FILE} writes a small demonstration.
 *
 * <p>Copy this file into your project and call {@link #call} around what your code does. Java 17 or later; no
 * libraries. Values are null, booleans, numbers, text, lists and maps from text.
 */
public final class Recorder implements AutoCloseable {
    /** Throw it inside a call when it surely did not happen; any other exception is of unknown outcome. */
    public static final class Fail extends Exception {
        public Fail(String why) {
            super(why);
        }
    }

    private final Writer file;
    private final long started = System.nanoTime();
    private long index = 0;

    public Recorder(Path path, String profile, String source) throws IOException {
        file = Files.newBufferedWriter(path);
        var header = new LinkedHashMap<String, Object>();
        header.put("format", "lawspeaker.history");
        header.put("version", 1);
        header.put("profile", profile);
        header.put("source", source);
        file.write(json(header) + "\n");
    }

    /** Writes one op, as one line, from any thread; {@code x} is what Jepsen has no word for, or empty. */
    public synchronized void op(Object process, String type, String f, Object value, Exception error, Map<String, ?> x) {
        var line = new LinkedHashMap<String, Object>();
        line.put("index", index++);
        line.put("time", System.nanoTime() - started);
        line.put("process", process);
        line.put("type", type);
        line.put("f", f);
        line.put("value", value);
        if (error != null) line.put("error", error.toString());
        if (!x.isEmpty()) line.put("x", x);
        try {
            file.write(json(line) + "\n");
            file.flush(); // whoever kills us
        } catch (IOException broken) {
            throw new UncheckedIOException("the history cannot be written", broken);
        }
    }

    /** Records the invocation and what became of it. After an outcome that nobody knows, use a new process id. */
    public <T> T call(Object process, String f, Object value, Map<String, ?> x, Callable<T> doing) throws Exception {
        op(process, "invoke", f, value, null, x);
        try {
            T result = doing.call();
            op(process, "ok", f, result, null, x);
            return result;
        } catch (Fail surely) {
            op(process, "fail", f, value, surely, x);
            throw surely;
        } catch (Exception unknown) {
            op(process, "info", f, value, unknown, x);
            throw unknown;
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private static String json(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number) return String.valueOf(value);
        var parts = new ArrayList<String>();
        if (value instanceof List<?> list) {
            list.forEach(item -> parts.add(json(item)));
            return "[" + String.join(",", parts) + "]";
        }
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, item) -> parts.add(json(String.valueOf(key)) + ":" + json(item)));
            return "{" + String.join(",", parts) + "}";
        }
        var text = new StringBuilder("\"");
        for (char c : value.toString().toCharArray()) {
            if (c == '"' || c == '\\') text.append('\\').append(c);
            else if (c < ' ' || Character.isSurrogate(c)) text.append(String.format("\\u%04x", (int) c));
            else text.append(c);
        }
        return text.append('"').toString();
    }

    public static void main(String[] arguments) throws Exception {
        try (var recorder = new Recorder(Path.of(arguments[0]), "kafka", "demo of Recorder.java")) {
            var records = new ArrayList<List<?>>();
            for (var event : List.of("a", "b", "c")) {
                var sent = List.of(List.of("send", "orders/0", event));
                recorder.call(0, "send", sent, Map.of("key", "k"), () -> {
                    records.add(List.of(records.size(), event));
                    return List.of(List.of("send", "orders/0", records.get(records.size() - 1)));
                });
            }
            var group = Map.of("group", "g");
            recorder.call(1, "poll", List.of(List.of("poll")), group,
                    () -> List.of(List.of("poll", Map.of("orders/0", records))));
            var next = Map.of("orders/0", records.size());
            recorder.call(1, "commit", next, group, () -> next);
        }
    }
}
