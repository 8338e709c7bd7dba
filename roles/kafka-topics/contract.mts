import { z } from 'zod';
import { contract } from '../../lib/index.mts';

/** What it makes is the variable kafka_topics of the brokers. */
export const kafkaTopics = contract('kafka-topics', z.strictObject({}));
