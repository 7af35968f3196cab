import { ApiProperty } from '@nestjs/swagger';
import { defineEvents } from 'nestjs-thorn';
import type { ArticleState } from './article.entity.js';

/** The data of events about an article. */
class ArticleData {
  @ApiProperty({ example: 'Hello' })
  title!: string;

  @ApiProperty({ enum: ['DRAFT', 'PUBLISHED'] })
  state!: ArticleState;
}

class TaggedArticleData {
  @ApiProperty({ example: 'Hello' })
  title!: string;

  @ApiProperty({ type: [String], example: ['news'] })
  tags!: string[];
}

/** Descriptions and schemas of the events that entities and services declare: what subscribers read. */
export const articleEvents = defineEvents({
  'article.created': { description: 'An article was written.', schema: ArticleData },
  'article.changed': { description: 'An article was changed.', schema: ArticleData },
  'article.removed': { description: 'An article was removed.', schema: ArticleData },
  'article.published': { description: 'An article was published.', schema: ArticleData },
  'article.breaking': {
    description: 'An article with the tag “news” was published.',
    schema: ArticleData,
  },
  'article.tagged': { description: 'An article got tags.', schema: TaggedArticleData },
});
