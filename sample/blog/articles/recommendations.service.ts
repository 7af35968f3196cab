import { Injectable, NotFoundException } from '@nestjs/common';
import { WebhookEvent } from 'nestjs-thorn';
import { DataSource } from 'typeorm';
import type { User } from '../users/user.entity.js';
import { Article } from './article.entity.js';

interface Recommendation {
  readonly article: Article;
  readonly by: string;
}

/** Nothing is stored of a recommendation: the event is the method's own. */
@Injectable()
export class Recommendations {
  constructor(private readonly dataSource: DataSource) {}

  @WebhookEvent('article.recommended', {
    data: ({ article, by }: Recommendation) => ({ title: article.title, by }),
    owner: ({ article }) => article.author.id, // the author hears of it, not the reader
    ref: '/articles/{article.id}',
    when: ({ article, by }) => article.author.name !== by, // not of one's own
  })
  async recommend(reader: User, id: number): Promise<Recommendation> {
    const article = await this.dataSource.manager.findOne(Article, {
      where: { id, state: 'PUBLISHED' },
      relations: { author: true },
    });
    if (article === null) throw new NotFoundException('There is no such article to be read');
    return { article, by: reader.name };
  }
}
