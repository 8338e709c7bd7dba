package standin.logstash.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import standin.logstash.config.Ast;
import standin.logstash.event.Conditions;
import standin.logstash.event.Event;
import standin.logstash.plugin.Filter;
import standin.logstash.plugin.Output;

/** One statement of a filter or output section, ready to run on events. */
interface Step {
  void run(List<Event> events) throws InterruptedException;

  /** Makes the plugins of a section known to {@code create} in the order they stand. */
  interface Factory {
    Step plugin(Ast.Plugin plugin);
  }

  static Step of(List<Ast.Statement> body, Factory factory) {
    List<Step> steps = body.stream().map(statement -> statement instanceof Ast.Plugin plugin ? factory.plugin(plugin) : branch((Ast.Branch) statement, factory)).toList();
    return events -> {
      for (Step step : steps) step.run(events);
    };
  }

  private static Step branch(Ast.Branch branch, Factory factory) {
    record Case(Predicate<Event> when, Step then) {}
    List<Case> cases = branch.cases().stream().map(each -> new Case(Conditions.compile(each.when()), of(each.body(), factory))).toList();
    Step otherwise = of(branch.otherwise(), factory);
    return events -> {
      List<Event> rest = events;
      for (Case each : cases) {
        List<Event> matching = new ArrayList<>();
        List<Event> others = new ArrayList<>();
        for (Event event : rest) {
          if (!event.cancelled()) (each.when().test(event) ? matching : others).add(event);
        }
        if (!matching.isEmpty()) each.then().run(matching);
        rest = others;
      }
      if (!rest.isEmpty()) otherwise.run(rest);
    };
  }

  static Step of(Filter filter) {
    return events -> {
      for (Event event : events) {
        if (event.cancelled()) continue;
        long start = System.nanoTime();
        filter.counters().in.increment();
        filter.filter(event);
        filter.counters().nanos.add(System.nanoTime() - start);
        if (!event.cancelled()) filter.counters().out.increment();
      }
    };
  }

  static Step of(Output output) {
    return events -> {
      if (events.isEmpty()) return;
      long start = System.nanoTime();
      output.counters().in.add(events.size());
      output.receive(events);
      output.counters().nanos.add(System.nanoTime() - start);
      output.counters().out.add(events.size());
    };
  }
}
