import type { Answer, Question } from '../plan/model.mts';
import { Answers } from './answers.mts';
import type { Controller, ControllerAsk } from './controller.mts';

/** Answers a question whose place is this machine, outside of a run; throws a `ControllerFailure` where no answer can be had at all. */
export async function askHere<T>(question: Question<T>, controller: Controller): Promise<Answer<T>> {
  const answers = new Answers();
  answers.record(await controller.ask(question.asks.filter((ask): ask is ControllerAsk => ask.at === 'controller')));
  return question.read(answers.lookup);
}
