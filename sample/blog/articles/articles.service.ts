import { Injectable, NotFoundException } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { User } from '../users/user.entity.js';
import type { CreateArticleDto, UpdateArticleDto } from './article.dto.js';
import { Article } from './article.entity.js';
import { Tag } from './tag.entity.js';

/** Knows nothing of webhooks: the entity declares them, and saving it is enough. */
@Injectable()
export class Articles {
  constructor(private readonly dataSource: DataSource) {}

  list(author: User): Promise<Article[]> {
    return this.dataSource.manager.find(Article, {
      where: { author: { id: author.id } },
      relations: { tags: true },
    });
  }

  create(author: User, { tags, ...fields }: CreateArticleDto): Promise<Article> {
    return this.dataSource.transaction(async (manager) => {
      const article = manager.create(Article, {
        ...fields,
        author,
        tags: await tagsNamed(manager, tags ?? []),
      });
      return manager.save(article);
    });
  }

  change(author: User, id: number, { tags, ...fields }: UpdateArticleDto): Promise<Article> {
    return this.dataSource.transaction(async (manager) => {
      const article = await find(manager, author, id);
      manager.merge(Article, article, fields);
      if (tags !== undefined) article.tags = await tagsNamed(manager, tags);
      return manager.save(article);
    });
  }

  publish(author: User, id: number): Promise<Article> {
    return this.dataSource.transaction(async (manager) => {
      const article = await find(manager, author, id);
      article.state = 'PUBLISHED';
      return manager.save(article);
    });
  }

  async remove(author: User, id: number): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.remove(await find(manager, author, id));
    });
  }
}

async function find(manager: EntityManager, author: User, id: number): Promise<Article> {
  const article = await manager.findOne(Article, {
    where: { id, author: { id: author.id } },
    relations: { tags: true },
  });
  if (article === null) throw new NotFoundException('You have no article of this id');
  return article;
}

async function tagsNamed(manager: EntityManager, names: readonly string[]): Promise<Tag[]> {
  const tags: Tag[] = [];
  for (const name of new Set(names)) {
    const known = await manager.findOneBy(Tag, { name });
    tags.push(known ?? (await manager.save(Tag, { name })));
  }
  return tags;
}
