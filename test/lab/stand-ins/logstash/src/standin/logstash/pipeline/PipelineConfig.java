package standin.logstash.pipeline;

import java.util.List;

/** What a pipeline runs, and where that was read. */
public record PipelineConfig(String id, String text, List<String> sources, int workers, int batchSize, int batchDelay) {
  /** Same text and same sizes: no reload is needed. */
  boolean sameAs(PipelineConfig other) {
    return text.equals(other.text) && workers == other.workers && batchSize == other.batchSize && batchDelay == other.batchDelay;
  }
}
